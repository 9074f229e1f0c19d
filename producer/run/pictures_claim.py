"""Whose the prefix at an object store is that a run's pictures go to: two runs would write over each other's."""

import json
from typing import Final

from producer.run.ledger import Ledger
from worker.contract.errors import RowError, RunError
from worker.storage import objects, prefixes
from worker.storage.meaning import Absent

#: The object that says it, beside the folders of rows.
_MARK: Final = "run.json"

#: Most bytes of it that are read: it has fifty.
_MOST: Final = 1000


def require_own(url: str, ledger: Ledger) -> None:
    """Make sure that no other run has its pictures there. Changes nothing.

    Raises:
        RunError: one has, or the store cannot be asked.

    """
    _require(_asked(url), url, ledger)


def require_taken(url: str, ledger: Ledger) -> None:
    """Make sure that a place is the one that the run has taken: in another, none of its pictures would be there.

    Raises:
        RunError: it is not, or the store cannot be asked.

    """
    if (found := _asked(url)) is None:
        raise RunError(
            f"There is no {url}/{_MARK}, which this run has put beside its pictures; look whether this is their bucket,"
            f" and AWS_ENDPOINT_URL its server. If they were deleted, the same `producer submit`, or `producer run`,"
            f" puts it there again."
        )
    _require(found, url, ledger)


def take(url: str, ledger: Ledger) -> None:
    """Make a prefix the run's own, before the first of its pictures comes there.

    Raises:
        RunError: it is another's, or the store cannot be written.

    """
    mark = json.dumps({"run": ledger.run}) + "\n"
    try:
        prefixes.create(f"{url}/{_MARK}", mark.encode(), content_type="application/json")
    except RowError as error:
        raise RunError(f"Pictures cannot be written to {url}: {error}.") from None
    require_own(url, ledger)  # of two that came at a time the first has it


def _require(found: str | None, url: str, ledger: Ledger) -> None:
    if found not in {None, ledger.run}:
        raise RunError(
            f"At {url} are the pictures of another run ({found}); name another prefix with --pictures, or go on with"
            f" that run's own folder. If nobody wants them any more, delete {url}/{_MARK}."
        )


def _asked(url: str) -> str | None:
    try:
        return _owner(url)
    except RowError as error:
        raise RunError(f"The object store of {url} cannot be used: {error}.") from None


def _owner(url: str) -> str | None:
    mark = f"{url}/{_MARK}"
    if (head := objects.head(mark)) is None:
        return None
    try:
        found = json.loads(objects.read(mark, start=0, end=min(head.size, _MOST)))
        return str(found["run"])
    except Absent:
        return None
    except (ValueError, KeyError, TypeError):
        return f"a {_MARK} that is no run's"
