"""Which runs are looked at: folders of runs are looked through anew each time, since runs come and go."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from producer.run.ledger import LEDGER
from worker.contract.errors import RunError
from worker.contract.parameters import Task

#: Where run folders are unless they are named; that of edits as DataFlow has it.
USUAL: Final[Mapping[Task, Path]] = {
    "imageedit": Path("cache_local/image_edit_local"),
    "text2image": Path("cache_local/text2image_local"),
}


def require_folders(named: Iterable[Path]) -> None:
    """Make sure that what was named are folders; runs may come into them later.

    Raises:
        RunError: one is none.

    """
    for folder in named:
        if not folder.is_dir():
            there = f"{folder} is a file" if folder.exists() else f"There is no folder {folder}"
            raise RunError(f"{there}; name a run's folder, as `producer submit` printed it, or one that holds runs.")


def run_folders(named: Iterable[Path]) -> list[Path]:
    """Return the folders of runs: those that were named, and those that lie directly in a folder that was."""
    return sorted({found for folder in named for found in _runs_in(folder)})


def _runs_in(folder: Path) -> Iterator[Path]:
    if (folder / LEDGER).is_file():
        yield folder
        return
    try:
        yield from (ledger.parent for ledger in folder.glob(f"*/{LEDGER}"))
    except OSError:  # a share that is away for the moment
        return
