"""The options of the command line, made from the settings that they set."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from worker.contract.parameters import OutputImages
from worker.settings.fleet import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


class NamedPath(click.Path):
    """A path that has a name: an empty one, as of a shell's unset variable, would be the folder where one stands."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; end the command where it is empty."""
        if value == "":
            self.fail("it is empty.", param, ctx)
        return super().convert(value, param, ctx)


def _setting(flag: str, name: str, **options: Any) -> Callable[[Command], Command]:
    """Make the option of a setting; its help and its default are the setting's own."""
    field = Settings.model_fields[name]
    default = "" if field.default is None else f" [default: {field.default}]"
    return click.option(flag, name, help=f"{field.description}{default}  (FLEET_{name.upper()})", **options)


_WEIGHTS_OPTIONS = [
    _setting("--hf-model-name-or-path", "hf_model_name_or_path", metavar="ID"),
    _setting("--hf-revision", "hf_revision", metavar="REV"),
]

task_option = _setting("--task", "image_gen_task", metavar="imageedit|text2image")

output_images_option = _setting(
    "--output-images", "output_images", metavar="paths|bytes", type=click.Choice(get_args(OutputImages))
)

_MODEL_OPTIONS = [
    _setting("--model", "diffuser_model_name", metavar="NAME"),
    *_WEIGHTS_OPTIONS,
    task_option,
]

_ROW_OPTIONS = [
    *_MODEL_OPTIONS,
    _setting("--preset", "preset", metavar="NAME"),
    _setting("--input-image-key", "input_image_key", metavar="KEY"),
    _setting("--images-from", "images_from", metavar="DIR", type=NamedPath()),
    _setting("--allow-urls", "allow_urls", metavar="HOST[,HOST]"),
    _setting("--input-conversation-key", "input_conversation_key", metavar="KEY"),
    _setting("--input-edit-key", "input_edit_key", metavar="KEY"),
    _setting("--output-image-key", "output_image_key", metavar="KEY"),
    _setting("--output-error-key", "output_error_key", metavar="KEY"),
    _setting("--output-warning-key", "output_warning_key", metavar="KEY"),
    _setting("--multi-image", "multi_image", metavar="first|stitch|references"),
    _setting("--turns", "turns", metavar="last|each"),
    _setting("--steps", "diffuser_num_inference_steps", type=int),
    _setting("--guidance", "diffuser_guidance_scale", type=float),
    _setting("--lora", "lora", metavar="NAME[:WEIGHT]", multiple=True, callback=lambda _, __, given: given or None),
    _setting("--seed", "seed", type=int),
    _setting("--num-images", "num_images", type=int),
    _setting("--size", "size", metavar="auto|input|bucket|WxH"),
    _setting("--keep-markup/--no-keep-markup", "keep_markup", default=None),
    _setting("--long-instruction", "long_instruction", metavar="warn|error"),
    _setting("--format", "image_format", metavar="png|webp|jpg"),
    _setting("--quality", "quality", type=int),
    _setting("--metadata/--no-metadata", "metadata", default=None),
    _setting("--run-dir", "run_dir", metavar="DIR", type=NamedPath()),
]

_RUN_OPTIONS = [
    *_ROW_OPTIONS,
    _setting("--shard-folders", "shard_folders", metavar="N", type=int),
    _setting("--pictures", "pictures", metavar="URL"),
    _setting("--output", "output", metavar="FILE", type=NamedPath()),
    output_images_option,
    _setting("--paths", "output_paths", metavar="as-given|relative|absolute"),
    _setting("--details/--no-details", "details", default=None),
    _setting("--profile", "demand_profile", metavar="NAME"),
    _setting("--save-interval", "save_interval", type=int),
    _setting("--max-queued", "max_queued", type=int),
    _setting("--priority", "priority", type=int),
    _setting("--broker", "broker_url", metavar="URL"),
]

_METRICS_OPTIONS = [
    _setting("--port", "metrics_port", type=int),
    _setting("--address", "metrics_address", metavar="ADDRESS"),
]

quiet_option = click.option("--quiet", "-q", is_flag=True, help="Do not show how far the run is.")
broker_option = _setting("--broker", "broker_url", metavar="URL")


def weights_options(command: Command) -> Command:
    """Give a command the options that name the weights of a model."""
    return _with(_WEIGHTS_OPTIONS, command)


def model_options(command: Command) -> Command:
    """Give a command the options that name a model."""
    return _with(_MODEL_OPTIONS, command)


def row_options(command: Command) -> Command:
    """Give a command every option that decides what becomes of a row."""
    return _with(_ROW_OPTIONS, command)


def run_options(command: Command) -> Command:
    """Give a command every option of a run."""
    return _with(_RUN_OPTIONS, command)


def metrics_options(command: Command) -> Command:
    """Give a command the options of an endpoint for Prometheus."""
    return _with(_METRICS_OPTIONS, command)


def _with(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def with_flag(sentence: str, options: Sequence[click.Parameter]) -> str:
    """Put an option beside its variable, since the user may have given either."""
    variable, _, rest = sentence.partition(" ")
    for option in options:
        if variable.rstrip(":") == f"FLEET_{str(option.name).upper()}":
            return f"{option.opts[0]} / {variable} {rest}"
    return sentence
