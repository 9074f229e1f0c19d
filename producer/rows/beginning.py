"""Where relative paths of images begin: in the input's own folder, in the working folder, or where the user says."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

from producer.rows.images import image_sources
from producer.rows.line_object import fields_of
from producer.rows.lines import read_lines
from producer.rows.source import Source
from worker.contract.errors import RowError, RunError, SettingsError
from worker.contract.sharing import WHOLE
from worker.settings.fleet import Settings

#: Rows whose images are looked for: what writes an input writes all of its paths alike, and the rest costs seconds.
_LOOKED_AT: Final = 100


def begun(source: Source, settings: Settings, say: Callable[[str], None]) -> Source:
    """Return the input with the folder in which relative paths of its images begin.

    Without FLEET_IMAGES_FROM it is the file's own folder, unless the first rows' images are in the working folder
    alone, as DataFlow's users and our own outputs have it, which is said.

    Raises:
        RunError: some of them are in one of both folders only, and some in the other.
        SettingsError: FLEET_IMAGES_FROM names no folder.

    """
    if (named := settings.images_from) is not None:
        if not named.is_dir():
            raise SettingsError(f"FLEET_IMAGES_FROM: {named} is no folder.")
        return replace(source, base=Path(os.path.normpath(named.absolute())))
    here = Path.cwd()
    if source.resolved is None or source.base.resolve() == here or settings.image_gen_task == "text2image":
        return source
    own, working = _only_in(source, settings, source.base, here)
    if own and working:
        raise RunError(
            f"The image {own} is in {source.base} only, and {working} in {here} only; name the folder in which relative"
            " paths begin with --images-from."
        )
    if working:
        say(f"Relative paths of images begin in the working folder: {working} is not in {source.base}.")
        return replace(source, base=here)
    return source


def _only_in(source: Source, settings: Settings, own: Path, working: Path) -> tuple[str, str]:
    """Return an image, of the first rows, that is in the file's folder alone, and one in the working folder alone."""
    found = {own: "", working: ""}
    for image in _relative_images(source, settings):
        # Not Path's, which raises where a name is too long, or a folder is closed: a worker will say so of the row.
        places = [folder for folder in found if os.path.exists(folder / image)]  # noqa: PTH110
        if len(places) == 1:
            found[places[0]] = found[places[0]] or image
    return found[own], found[working]


def _relative_images(source: Source, settings: Settings) -> Iterator[str]:
    key, every = settings.input_image_key, settings.multi_image != "first"
    for line in islice(read_lines(source.path), _LOOKED_AT):
        images: list[str] = []
        with suppress(RowError, ValueError, RecursionError):  # whatever is wrong with that row is said of it, later
            images = image_sources(fields_of(line), key, base="", every=every, hosts=(), warn=lambda _: None)
        yield from (image for image in images if not image.startswith(WHOLE))
