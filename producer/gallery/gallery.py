"""A run's gallery: made of what is finished, or brought up to date while the run goes on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from producer.gallery.building import Builder, Made
from producer.gallery.page import INDEX, Page
from producer.run import opening
from producer.run.failures import ledger_errors
from producer.run.ledger import Ledger
from producer.run.records import State
from worker.contract.errors import RunError

#: Folder of the page in the run folder.
FOLDER: Final = "gallery"

#: Most rows of a page, unless more are asked for: what a browser holds with ease.
MOST: Final = 20_000

#: Seconds between two looks at a run that goes on.
_INTERVAL: Final = 2.0


class Gallery:
    """The gallery of the run in a folder."""

    def __init__(self, folder: Path, *, most: int = MOST, progress: Callable[[int], None] = lambda _: None) -> None:
        """Of a run of more than `most` rows it shows some; `progress` is told how many it has dealt with.

        Raises:
            RunError: the folder holds no run.

        """
        opening.require(folder)
        self.index = folder / FOLDER / INDEX
        self._folder = folder
        self._page = Page(folder / FOLDER)
        self._builder = Builder(folder, self._page, most=most, progress=progress)

    def make(self) -> Made:
        """Make the page of what is finished now.

        Raises:
            RunError: nothing is; or the input, the ledger or the folder stands in the way.

        """
        with self._ledger() as ledger:
            states = ledger.states()
            if not any(states[state] for state in (State.DONE, State.FAILED, State.KEPT)):
                raise RunError(
                    f"No row of the run {self._folder} is finished, so there is nothing to show yet;"
                    f" `producer gallery {self._folder} --watch` shows rows as they come."
                )
            self._page.prepare()
            return self._builder.build(ledger, live=False)

    def follow(self, sleep: Callable[[float], None] = time.sleep) -> Made:
        """Make the page, and bring it up to date until every row is finished.

        Raises:
            RunError: the input, the ledger or the folder stands in the way.

        """
        seen: object = None
        made = Made(0, 0, 1)
        with self._ledger():
            self._page.prepare()
        try:
            while True:
                with self._ledger() as ledger:  # anew: an open one counts its rows only once
                    if (states := ledger.states()) != seen:
                        seen, made = states, self._builder.build(ledger, live=True)
                if not made.waiting:
                    return made
                sleep(_INTERVAL)
        finally:
            if seen is not None:  # the page need not look for more
                with self._ledger() as ledger:
                    self._builder.write_run(ledger, live=False)

    @contextmanager
    def _ledger(self) -> Iterator[Ledger]:
        try:
            with ledger_errors(self._folder), Ledger(self._folder, read_only=True) as ledger:
                yield ledger
        except OSError as error:
            raise RunError(f"The gallery {self._page.folder} cannot be written: {error.strerror or error}.") from None
