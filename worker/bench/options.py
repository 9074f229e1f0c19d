"""The options of the bench's command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from worker.bench.sizes import FAMILIES, SIZES
from worker.contract.buckets import Bucket
from worker.contract.parameters import exact_size
from worker.contract.profiles import PROFILES

Command = TypeVar("Command", bound=Callable[..., Any])


def with_options(command: Command) -> Command:
    """Give the command its options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _listed(read: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str], list[Any]]:
    """Return a callback that reads each part of a list; `read` raises ValueError with what was expected."""

    def callback(context: click.Context, parameter: click.Parameter, text: str) -> list[Any]:
        try:
            return [read(part.strip()) for part in text.split(",") if part.strip()]
        except ValueError as error:
            raise click.BadParameter(str(error), context, parameter) from None

    return callback


def _profile(name: str) -> str:
    if name not in PROFILES:
        raise ValueError(f"there is no profile {name}; there are {', '.join(PROFILES)}.")
    return name


def _resolution(text: str) -> Bucket:
    size = exact_size(text)
    if size is None or 0 in size or size[0] % 16 or size[1] % 16:
        raise ValueError(f"{text} is no width and height in multiples of 16, such as 1024x1024.")
    return Bucket(*size)


def _batch(text: str) -> int:
    images = int(text) if text.isascii() and text.isdecimal() else 0
    if not images or images & (images - 1):
        raise ValueError(f"{text} is none of 1, 2, 4, 8, ..., the sizes of a call that a profile compiles.")
    return images


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

_OPTIONS = [
    click.option(
        "--family", type=click.Choice(FAMILIES), default="kontext",
        help="The kind of model; of several sizes of weights the one that its name alone means.",
    ),
    click.option(
        "--size", type=click.Choice(SIZES), show_default="full on a GPU, tiny on a CPU",
        help="The real size, or a tiny one.",
    ),
    click.option(
        "--checkpoint", type=_FOLDER, help="Real weights of the family, in diffusers' layout; else they are random."
    ),
    click.option(
        "--profiles", callback=_listed(_profile), default="reference,exact,fast", help="Measured in this order."
    ),
    click.option(
        "--attention", callback=_listed(str), default="", show_default="each profile's own",
        help="Attention backends to compare, by diffusers' names, separated by commas.",
    ),
    click.option("--compile/--no-compile", "compiled", default=True, help="Whether the profiles that compile do."),
    click.option(
        "--resolutions", callback=_listed(_resolution), default="", show_default="the size's own",
        help="Such as 1024x1024,512x512.",
    ),
    click.option(
        "--batch", callback=_listed(_batch), default="", show_default="the size's own",
        help="Images in a call, such as 1,4; whole calls and fidelity take a 1 in front.",
    ),
    click.option("--rounds", type=click.IntRange(1), default=3, help="Times that each call is timed."),
    click.option("--limit", type=click.FloatRange(0), default=600, help="Seconds; what is left then is not measured."),
    click.option("--photos", type=_FOLDER, default=Path("examples/photos"), help="Photographs to edit."),
    click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Every number, as JSON."),
    click.option(
        "--compile-cache", envvar="FLEET_COMPILE_CACHE", type=click.Path(path_type=Path),
        help="Folder of compiled kernels; else a new one each time.  (FLEET_COMPILE_CACHE)",
    ),
]  # fmt: skip
