"""The page's data and small pictures: of what has changed since the last time, chunk by chunk."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path
from typing import Any, Final, NamedTuple

from producer.gallery.page import Page
from producer.gallery.pictures import Pictures
from producer.gallery.reading import Chunk, Reader
from producer.run.ledger import Ledger
from producer.run.records import State
from worker.contract.row_warnings import MEANING

#: Threads that make small pictures: each holds one decoded picture, which may be large.
_THREADS: Final = min(4, cpu_count() or 1)


class Made(NamedTuple):
    """What a gallery shows."""

    #: Finished rows that it shows, and rows of the run that are not finished.
    shown: int
    waiting: int
    #: It shows one row in so many.
    step: int


class _Built(NamedTuple):
    """A chunk that is written."""

    signature: str
    #: What the page needs to load it.
    facts: dict[str, Any]
    #: Its small pictures.
    used: set[str]


class Builder:
    """Builds the page of one run, as often as wanted, and remembers what it has built."""

    def __init__(self, folder: Path, page: Page, *, most: int, progress: Callable[[int], None]) -> None:
        """Of a run of more than `most` rows some are shown; `progress` is told how many are dealt with."""
        self._folder = folder
        self._page = page
        self._most = most
        self._progress = progress
        self._step = 1
        self._chunks: dict[int, _Built] = {}

    def build(self, ledger: Ledger, *, live: bool) -> Made:
        """Bring the page up to date; `live`: it is to look for more by itself.

        Raises:
            RunError: the input cannot be read.

        """
        states = ledger.states()
        step = max(1, -(-states.total() // self._most))
        if step != self._step:
            self._step = step
            self._chunks.clear()
        reader = Reader(self._folder, ledger)
        pictures = Pictures(self._folder, self._page.folder.name, reader)
        seen, done = set(), 0
        with ThreadPoolExecutor(_THREADS) as pool:
            known = {number: built.signature for number, built in self._chunks.items()}
            for chunk in reader.chunks(step, known):
                seen.add(chunk.number)
                if chunk.entries is not None:
                    self._chunks[chunk.number] = self._built(chunk, pictures, pool, done)
                    if live:  # whoever looks need not wait for the last chunk
                        self.write_run(ledger, live=True)
                done += self._chunks[chunk.number].facts["rows"]
        for gone in self._chunks.keys() - seen:
            del self._chunks[gone]
        self.write_run(ledger, live=live)
        self._page.drop_others(built.facts for built in self._chunks.values())
        pictures.drop_others(set().union(*(built.used for built in self._chunks.values())))
        return Made(done, _waiting(states), step)

    def write_run(self, ledger: Ledger, *, live: bool) -> None:
        """Write what the page says of the run as a whole, and which chunks it is to load."""
        states = ledger.states()
        facts = {
            "run": ledger.run,
            "name": self._folder.absolute().name,
            "live": live,
            "step": self._step,
            "waiting": _waiting(states),
            "meaning": {kind.value: meaning for kind, meaning in MEANING.items()},
            "chunks": [self._chunks[number].facts for number in sorted(self._chunks)],
        }
        self._page.write_run(facts)

    def _built(self, chunk: Chunk, pictures: Pictures, pool: ThreadPoolExecutor, done: int) -> _Built:
        rows = []
        for row in pool.map(pictures.added_to, chunk.entries or ()):
            rows.append(row)
            self._progress(done + len(rows))
        return _Built(chunk.signature, self._page.write_rows(chunk.number, rows), pictures.used_by(rows))


def _waiting(states: Counter[State]) -> int:
    return states[State.NOTED] + states[State.SENT]
