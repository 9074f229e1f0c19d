"""Whether a run's finished rows have the pictures that its ledger says they have."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

from producer.run.ledger import Ledger
from producer.run.records import Record, State, pictures_of
from worker.pictures.places.place import Place

#: Rows between two looks at the progress.
_CHUNK = 1000


class Damage(NamedTuple):
    """A finished row without its picture."""

    row: int
    #: The picture, relative to the place of the run's pictures.
    path: str
    #: What is wrong with it.
    what: str


def verify(
    place: Place, ledger: Ledger, *, fast: bool, found: Callable[[Damage], None], progress: Callable[[int], None]
) -> int:
    """Look at every picture of every finished row; hand on the first damage of each row. Return how many rows it saw.

    Each picture must be whole and made for its row; `fast`: only whether it is there, and holds anything.

    Raises:
        RowError: the place cannot be looked at.

    """
    done = (record for record in ledger.records() if record.state is State.DONE)
    seen = 0
    with ThreadPoolExecutor(place.abreast) as threads:
        while chunk := list(islice(done, _CHUNK)):
            for damage in threads.map(lambda record: _damage(place, record, fast=fast), chunk):
                if damage is not None:
                    found(damage)
            seen += len(chunk)
            progress(seen)
    return seen


def _damage(place: Place, record: Record, *, fast: bool) -> Damage | None:
    for path in pictures_of(record):
        if (flaw := place.flaw(path, record.fingerprint or "", fast=fast)) is not None:
            return Damage(record.row, path, flaw)
    return None
