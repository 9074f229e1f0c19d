"""A run's gallery: made of what is finished, and brought up to date while the run goes on."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from os import cpu_count
from pathlib import Path
from typing import Any, Final, NamedTuple

from producer.gallery.page import INDEX, Page
from producer.gallery.pictures import Pictures
from producer.gallery.reading import Reader
from producer.run import opening
from producer.run.failures import ledger_errors
from producer.run.ledger import Ledger
from producer.run.records import State
from worker.contract.errors import RunError
from worker.contract.row_warnings import MEANING

#: Folder of the page in the run folder.
FOLDER: Final = "gallery"

#: Most rows of a page, unless more are asked for: what a browser holds with ease.
MOST: Final = 20_000

#: Threads that make small pictures: each holds one decoded picture, which may be large.
_THREADS: Final = min(4, cpu_count() or 1)

#: Seconds between two looks at a run that goes on.
_INTERVAL: Final = 2.0


class Made(NamedTuple):
    """What a gallery shows."""

    #: Finished rows that it shows, and rows of the run that are not finished.
    shown: int
    waiting: int
    #: It shows every so-manieth row of the run.
    step: int


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
        self._most = most
        self._progress = progress
        self._page = Page(folder / FOLDER)
        self._step = 1
        #: By a chunk's number: its signature, what the page needs to load it, and the small pictures in it.
        self._signatures: dict[int, str] = {}
        self._chunks: dict[int, dict[str, Any]] = {}
        self._used: dict[int, set[str]] = {}

    def make(self) -> Made:
        """Make the page of what is finished now.

        Raises:
            RunError: nothing is; or the input, the ledger or the folder stands in the way.

        """
        with self._errors(), Ledger(self._folder, read_only=True) as ledger:
            states = ledger.states()
            if not sum(states[state] for state in (State.DONE, State.FAILED, State.KEPT)):
                raise RunError(
                    f"No row of the run {self._folder} is finished, so there is nothing to show yet;"
                    f" producer gallery {self._folder} --watch shows rows as they come."
                )
            self._page.prepare()
            return self._refresh(ledger, states, live=False)

    def follow(self, sleep: Callable[[float], None] = time.sleep) -> Made:
        """Make the page, and bring it up to date until every row is finished.

        Raises:
            RunError: the input, the ledger or the folder stands in the way.

        """
        seen: Counter[State] | None = None
        made = Made(0, 0, 1)
        with self._errors():
            self._page.prepare()
        try:
            while True:
                with self._errors(), Ledger(self._folder, read_only=True) as ledger:
                    if (states := ledger.states()) != seen:
                        seen, made = states, self._refresh(ledger, states, live=True)
                if not made.waiting:
                    return made
                sleep(_INTERVAL)
        finally:
            if seen is not None:  # the page need not look for news any more
                with self._errors(), Ledger(self._folder, read_only=True) as ledger:
                    self._write_run(ledger, live=False)

    def _refresh(self, ledger: Ledger, states: Counter[State], *, live: bool) -> Made:
        reader = Reader(self._folder, ledger)
        step = max(1, -(-states.total() // self._most))
        if step != self._step:
            self._step = step
            self._signatures.clear()
        pictures = Pictures(self._folder, FOLDER, reader)
        seen, done = set(), 0
        with ThreadPoolExecutor(_THREADS) as pool:
            for chunk in reader.chunks(step, self._signatures):
                seen.add(chunk.number)
                if chunk.entries is not None:
                    rows = []
                    for number, row in enumerate(pool.map(pictures.added_to, chunk.entries)):
                        rows.append(row)
                        self._progress(done + number + 1)
                    self._chunks[chunk.number] = self._page.write_rows(chunk.number, rows)
                    self._used[chunk.number] = pictures.used_by(rows)
                    self._signatures[chunk.number] = chunk.signature
                    if live:
                        self._write_run(ledger, live=True)
                done += self._chunks[chunk.number]["rows"]
        for gone in self._chunks.keys() - seen:
            del self._chunks[gone], self._used[gone]
            self._signatures.pop(gone, None)
        self._write_run(ledger, live=live)
        self._page.drop_others(self._chunks.values())
        pictures.drop_others(set().union(*self._used.values()))
        waiting = states[State.NOTED] + states[State.SENT]
        return Made(done, waiting, step)

    def _write_run(self, ledger: Ledger, *, live: bool) -> None:
        states = ledger.states()
        self._page.write_run(
            {
                "run": ledger.run,
                "name": self._folder.absolute().name,
                "folder": str(self._folder),
                "live": live,
                "step": self._step,
                "states": {state.name.lower(): states[state] for state in State},
                "meaning": {kind.value: meaning for kind, meaning in MEANING.items()},
                "chunks": [self._chunks[number] for number in sorted(self._chunks)],
            }
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with ledger_errors(self._folder):
                yield
        except OSError as error:
            raise RunError(f"The gallery {self._page.folder} cannot be written: {error.strerror or error}.") from None
