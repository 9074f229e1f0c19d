"""`python -m tests.bench.many`: real Redis and real workers with simulated GPUs; tables in Markdown.

A "GPU" waits, so many seconds a row and so many a call (the batch's curve), in as many parts as there are steps. What
is left of it is the fleet's own cost. Pictures are small, since the cores of one machine make those of all workers.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from tests.bench.many import tables
from tests.bench.many.capacity import capacity
from tests.bench.many.simulation import Costs
from tests.bench.many.trial import Found, Trial, measure

SECTIONS: Final = ("scaling", "shapes", "runs", "fairness", "tail", "capacity", "simulation")

#: Options of the simulation: CPU milliseconds.
_COSTS: Final = ("producer_ms", "redis_ms", "collector_ms", "idle_ms")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what was asked for, and print it."""
    given = _options().parse_args(arguments)
    print(
        f"`python -m tests.bench.many {' '.join(arguments or sys.argv[1:])}`".replace(" `", "`"),
        f"on {time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f},",
        f"Python {platform.python_version()}",
    )
    costs = _Costs(given)
    for name, lines in _sections(given, costs):
        if name not in given.only:
            continue
        print(f"\n### {name}\n")
        for line in lines():
            print(line, flush=True)


def _sections(given: argparse.Namespace, costs: "_Costs") -> Iterator[tuple[str, Callable[[], Iterator[str]]]]:
    noted, curve = costs.noted, {"per_call": given.per_call, "work": given.work}
    for per_row in given.per_row:
        yield "scaling", partial(_titled, per_row, tables.scaling(noted, given.workers, per_row, **curve))
    slow = max(given.per_row)  # of faster ones the cores of one machine are the limit, and not the fleet
    yield "shapes", partial(tables.shapes, noted, slow, **curve)
    yield "runs", partial(tables.runs, noted, slow / 4, given.work)
    yield "fairness", partial(tables.fairness, noted, slow / 10, given.large, given.small)
    yield "tail", partial(tables.tail, noted, slow, 60)
    yield "capacity", costs.capacities
    yield "simulation", costs.simulation


def _titled(per_row: float, lines: Iterator[str]) -> Iterator[str]:
    yield f"{per_row} s per row\n"
    yield from lines


class _Costs:
    """What was measured on the way, for the simulation."""

    def __init__(self, given: argparse.Namespace) -> None:
        self._given = given
        #: CPU milliseconds, by the names of the options that take their place.
        self._found: dict[str, float] = {}
        self._most = 0

    def noted(self, trial: Trial) -> Found:
        """Measure, and remember what Redis costs: of the trial with most rows, in which all else weighs least."""
        found, rows = measure(trial), sum(trial.rows)
        if rows > self._most:
            self._most = rows
            self._found |= {"redis_ms": 1000 * found.redis / rows, "idle_ms": 1000 * found.redis_idle}
        return found

    def capacities(self) -> Iterator[str]:
        """Measure what one producer and one collector can do."""
        rows = self._given.capacity_rows
        found = capacity(rows)
        self._found |= {"producer_ms": 1000 * found.producer, "collector_ms": 1000 * found.collector}
        yield from tables.capacities(found, rows)

    def simulation(self) -> Iterator[str]:
        """Calculate large fleets from it, or from what the options say."""
        named = {name: getattr(self._given, name) for name in _COSTS}
        used = {**self._found, **{name: cost for name, cost in named.items() if cost is not None}}
        if missing := [f"--{name.replace('_', '-')}" for name in _COSTS if name not in used]:
            raise SystemExit(f"Not measured just now: name {', '.join(missing)}, or measure capacity and scaling, too.")
        producer, redis, collector, idle = (used[name] / 1000 for name in _COSTS)
        told = ", ".join(f"{name} {used[name]:.3f}" for name in _COSTS)
        yield f"CPU ms of a row, and of Redis for an idle worker's second: {told}\n"
        yield from tables.thousand(Costs(producer=producer, redis=redis, collector=collector, idle=idle))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.many", description=__doc__)

    def numbers(kind: Callable[[str], float]) -> Callable[[str], list[float]]:
        return lambda text: [kind(part) for part in text.split(",")]

    parser.add_argument("--workers", type=numbers(int), default=[1, 2, 4, 8, 16], help="such as 1,2,4,8,16")
    parser.add_argument("--per-row", type=numbers(float), default=[1.0, 0.05], help="seconds of a GPU: 1,0.05")
    parser.add_argument("--per-call", type=float, default=0.0, help="seconds that a call takes, however many its rows")
    parser.add_argument("--work", type=float, default=30.0, help="seconds of work for each worker")
    parser.add_argument("--large", type=int, default=3000, help="rows of the large run, before the small one")
    parser.add_argument("--small", type=int, default=5)
    parser.add_argument("--only", type=lambda text: text.split(","), default=SECTIONS, help=",".join(SECTIONS))
    parser.add_argument("--capacity-rows", type=int, default=20_000)
    for name in _COSTS:
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=float, help="for the simulation, instead of what was measured"
        )
    return parser


if __name__ == "__main__":
    main()
