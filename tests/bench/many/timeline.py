"""What workers' logs tell of a run: how fast the fleet was, how long each worker was idle at the end, who waited."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

_DONE: Final = re.compile(
    r"\[(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}): \w+/\w+\] micro-batch \w+: done in (?P<took>[\d.]+) s,"
    r".*? \d+ of \d+ rows of [^:]+: (?P<rows>[\w. ]+)"
)


@dataclass(frozen=True)
class Done:
    """A micro-batch that is done; times in seconds since the epoch."""

    worker: str
    begun: float
    done: float
    #: Each as `<run>.<row>`.
    rows: tuple[str, ...]


class Steady(NamedTuple):
    """The time in which every worker was at work: from the last one's first batch to the first one's last."""

    seconds: float
    #: A batch that lies in it in part counts in part.
    rows: float


class Answers(NamedTuple):
    """When a run's first and last row were done, in seconds since the epoch."""

    first: float
    last: float


def read(log: Path) -> Iterator[Done]:
    """Read a worker's log; its name is the worker's."""
    for line in log.read_text(errors="replace").splitlines():
        if found := _DONE.match(line):
            done = datetime.strptime(found["time"], "%Y-%m-%d %H:%M:%S,%f").astimezone().timestamp()
            yield Done(log.stem, done - float(found["took"]), done, tuple(found["rows"].split()))


def _by_worker(batches: Iterable[Done]) -> dict[str, list[Done]]:
    found: dict[str, list[Done]] = defaultdict(list)
    for batch in sorted(batches, key=lambda batch: batch.done):
        found[batch.worker].append(batch)
    return found


def steady(batches: Sequence[Done]) -> Steady:
    """Measure the fleet while every worker that has done anything is at work."""
    workers = _by_worker(batches).values()
    begin, end = max(done[0].begun for done in workers), min(done[-1].done for done in workers)
    rows = 0.0
    for batch in batches:
        inside = min(batch.done, end) - max(batch.begun, begin)
        rows += len(batch.rows) * max(0.0, inside) / (batch.done - batch.begun)
    return Steady(end - begin, rows)


def idle_at_the_end(batches: Sequence[Done]) -> dict[str, float]:
    """Return how long each worker had nothing to do before the last batch of all was done."""
    workers = _by_worker(batches)
    end = max(done[-1].done for done in workers.values())
    return {worker: end - done[-1].done for worker, done in workers.items()}


def answers(batches: Sequence[Done]) -> dict[str, Answers]:
    """Return when each run's first and last row were done."""
    times: dict[str, list[float]] = defaultdict(list)
    for batch in batches:
        for row in batch.rows:
            times[row.partition(".")[0]].append(batch.done)
    return {run: Answers(min(found), max(found)) for run, found in times.items()}


def whole(batches: Sequence[Done]) -> float:
    """Return the seconds from the first batch's begin to the last one's end."""
    return max(batch.done for batch in batches) - min(batch.begun for batch in batches)
