"""Room for a run's pictures: what its folder's disk has, and what its unanswered rows will take."""

import os
import shutil
from collections.abc import Iterator
from itertools import islice
from math import ceil
from pathlib import Path
from statistics import mean
from typing import Final, NamedTuple

from producer.collecting.progress import status_of
from producer.doctor.finding import Finding, broken, in_bytes, note, well
from producer.doctor.hub import existing
from producer.run.failures import ledger_errors
from producer.run.ledger import LEDGER, Ledger
from producer.run.manifest import remembered
from producer.run.records import State, pictures_of
from worker.contract.errors import FleetError
from worker.settings.fleet import Settings

#: Bytes of a picture per pixel, while there are none: 1.03 MB per megapixel, PNG (docs/input-and-output.md).
_PER_PIXEL: Final = 1.03

#: Finished rows whose pictures are weighed.
_SAMPLE: Final = 200

#: Below this a run's ledger and output may already have no room.
_LEAST: Final = 200_000_000


class Needs(NamedTuple):
    """What is still to be written of a run."""

    pictures: int
    #: Of each picture.
    size: float


def look_at_space(folder: Path, settings: Settings, *, named: bool) -> Iterator[Finding]:
    """Look at a run folder, which need not be there yet; `named`: the user did, and so it must be usable."""
    there = existing(folder)
    if not there.is_dir():
        yield broken("space", f"{there} is a file, and no run folder", "name another")
        return
    if not os.access(there, os.W_OK | os.X_OK):
        refused = broken if named else note
        yield refused("space", f"nothing can be written to {there}", "name another folder, or change its rights")
        return
    try:
        needs = _needs(folder, settings)
    except FleetError as error:
        yield broken("space", str(error).rstrip("."))
        return
    yield space_found(folder, shutil.disk_usage(there).free, os.statvfs(there).f_favail, needs)


def space_found(folder: Path, free: int, names: int, needs: Needs | None) -> Finding:
    """Say whether there is room: `free` bytes, and `names` for further files, which some file systems do not count."""
    has = f"{in_bytes(free)} are free for {folder}"
    if needs is None or not needs.pictures:
        if free < _LEAST:
            return broken("space", has, "make room, or name another disk with --run-dir")
        return well("space", has)
    takes = needs.pictures * needs.size
    said = f"{has}, and {needs.pictures:,} pictures to come take about {in_bytes(takes)}"
    if takes > free:
        return broken("space", said, "make room, or choose a smaller --format or --size")
    if 0 < names < 2 * needs.pictures:
        return broken("space", f"{said}, but the disk has room for {names:,} more files only", "name another disk")
    return well("space", said)


def _needs(folder: Path, settings: Settings) -> Needs | None:
    if not (folder / LEDGER).is_file():
        return None
    with ledger_errors(folder), Ledger(folder, read_only=True) as ledger:
        _, theirs = remembered(folder, ledger, broker_url=settings.broker_url)
        if theirs.pictures is not None:  # at an object store: they take no room here
            return None
        weighed = _weighed(folder, ledger)
        sizes = [size for row in weighed for size in row]
        size = mean(sizes) if sizes else _PER_PIXEL * theirs.spec.square.width * theirs.spec.square.height
        # Of rows with turns there are more than the run's number of images.
        images = len(sizes) / len(weighed) if sizes and theirs.turns == "each" else theirs.num_images
        return Needs(ceil(status_of(ledger, 0.0).waiting * images), size)


def _weighed(folder: Path, ledger: Ledger) -> list[list[int]]:
    """Return the sizes of pictures that are there, by row."""
    sample = islice((one for one in ledger.records() if one.state is State.DONE), _SAMPLE)
    return [
        [file.stat().st_size for path in pictures_of(record) if (file := folder / path).is_file()] for record in sample
    ]
