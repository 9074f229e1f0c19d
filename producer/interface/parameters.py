"""The parameters of a run, by the names that the command line has for them."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal, TypedDict

from worker.contract.errors import SettingsError
from worker.contract.parameters import ImageFormat, LongInstruction, MultiImage, OutputImages, OutputPaths, Task, Turns
from worker.settings.fleet import Settings, load_settings
from worker.settings.presets import PresetName


class Parameters(TypedDict, total=False):
    """What decides how rows are edited; what is left out is the `FLEET_*` variables' or the model's own.

    docs/settings.md says what each is.
    """

    #: A model that `producer models` lists, its weights, and what is made of a row.
    model: str
    hf_model_name_or_path: str
    hf_revision: str
    task: Task
    #: Columns of the rows.
    preset: PresetName
    input_image_key: str
    images_from: str | PathLike[str]
    allow_urls: str | Sequence[str]
    input_conversation_key: str
    turns: Turns
    input_edit_key: str
    output_image_key: str
    output_error_key: str
    output_warning_key: str
    #: Of each edit; sizes are pixels, as in "1280x720".
    multi_image: MultiImage
    steps: int
    guidance: float
    lora: str | Sequence[str]
    seed: int
    num_images: int
    size: str
    keep_markup: bool
    long_instruction: LongInstruction
    #: Of the pictures and of the output.
    format: ImageFormat
    quality: int
    metadata: bool
    shard_folders: int
    pictures: str
    output: str | PathLike[str]
    output_images: OutputImages
    paths: OutputPaths
    details: bool
    #: Of workers that this starts on this machine, and where they have their weights.
    batch_size: int
    hf_cache_dir: str | PathLike[str]
    hf_local_dir: str | PathLike[str]
    #: Of the run among others.
    profile: Literal["reference", "exact", "fast"]
    save_interval: int
    max_queued: int
    priority: int


class RunParameters(Parameters, total=False):
    """The same, and what a run is asked for besides."""

    #: The rows' own numbers, which name their folders (`sample_<number>`) and give them their seeds; unset, their
    #: places from 0.
    numbers: Iterable[int] | None
    #: Edit finished rows again where a parameter that decides their pictures has changed.
    redo: bool
    #: How many rows, or which share ("5%"), may fail before the run is ended.
    max_failed: int | str | None
    #: Where another process has the folder, wait for it.
    wait: bool


#: Parameters of workers, which a run folder does not remember.
OF_WORKERS: Final = ("batch_size", "hf_cache_dir", "hf_local_dir")

#: Settings that are called otherwise.
_SETTINGS: Final[Mapping[str, str]] = {
    "model": "diffuser_model_name",
    "task": "image_gen_task",
    "steps": "diffuser_num_inference_steps",
    "guidance": "diffuser_guidance_scale",
    "format": "image_format",
    "paths": "output_paths",
    "profile": "demand_profile",
}


def settings_of(parameters: Mapping[str, Any], *, run_dir: Path | None, broker_url: str | None) -> Settings:
    """Return the settings of a run.

    Raises:
        SettingsError: there is no such parameter, or its value is wrong.

    """
    for name in parameters:
        if name not in Parameters.__annotations__:
            close = get_close_matches(name, Parameters.__annotations__, 1)
            guess = f"; did you mean {close[0]}?" if close else "; docs/python.md lists them."
            raise SettingsError(f"There is no parameter {name}{guess}")
    given = {_SETTINGS.get(name, name): value for name, value in parameters.items()}
    if isinstance(lora := given.get("lora"), str):
        given["lora"] = [lora]
    try:
        return load_settings(run_dir=run_dir, broker_url=broker_url, **given)
    except SettingsError as error:
        raise SettingsError(_by_its_name(str(error), parameters)) from None


def _by_its_name(sentence: str, parameters: Mapping[str, Any]) -> str:
    """Put a parameter that was given beside its variable, which the sentence begins with."""
    variable, _, rest = sentence.partition(" ")
    for name in parameters:
        if variable.rstrip(":") == f"FLEET_{_SETTINGS.get(name, name).upper()}":
            return f"{name} / {variable} {rest}"
    return sentence
