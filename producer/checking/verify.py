"""Whether a run's finished rows have the pictures that its ledger says they have."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from producer.run.ledger import Ledger
from producer.run.records import Record, State, pictures_of
from worker.pictures.files import is_whole

#: Rows between two looks at the progress.
_CHUNK = 1000


class Damage(NamedTuple):
    """A finished row without its picture."""

    row: int
    #: The picture, relative to the run folder.
    path: str
    #: What is wrong with it.
    what: str


def verify(
    folder: Path, ledger: Ledger, *, fast: bool, found: Callable[[Damage], None], progress: Callable[[int], None]
) -> int:
    """Look at every picture of every finished row; hand on the first damage of each row. Return how many rows it saw.

    Each picture is decoded to its end and compared with the row's fingerprint; `fast`: only whether it is there, and
    holds anything.
    """
    done = (record for record in ledger.records() if record.state is State.DONE)
    seen = 0
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        while chunk := list(islice(done, _CHUNK)):
            for damage in threads.map(lambda record: _damage(folder, record, fast=fast), chunk):
                if damage is not None:
                    found(damage)
            seen += len(chunk)
            progress(seen)
    return seen


def _damage(folder: Path, record: Record, *, fast: bool) -> Damage | None:
    for path in pictures_of(record):
        try:
            size = (folder / path).stat().st_size
        except FileNotFoundError:
            return Damage(record.row, path, "is gone")
        if not size:
            return Damage(record.row, path, "is empty")
        if not fast and not is_whole(folder / path, record.fingerprint or ""):
            return Damage(record.row, path, "is damaged, or another row's")
    return None
