"""What it costs to queue a row, beside plain `apply_async` of the same rows: `python -m tests.bench.submitting`.

Both in turn, each as a process of its own on a Redis of its own, without workers. Of the command only what comes after
its start is counted: what a run of one row takes is subtracted. Plain is what one would write first: each line of the
input is parsed and given to a task, by an app with Celery's defaults but for results, which it has none of.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from celery import Celery

from tests.bench.many.processes import broker
from tests.bench.many.tables import table
from tests.support.cli import CLI
from tests.support.place import PROJECT


class Cost(NamedTuple):
    """What some rows took."""

    cpu: float
    wall: float
    #: Bytes that Redis holds more than before, and MiB that the process had at most.
    memory: float
    peak: float


def submitted(folder: Path, rows: int) -> Cost:
    """Submit rows with `producer submit`."""
    with broker() as redis:
        cli = CLI(folder, {"broker_url": redis.url})
        before = redis.memory()
        name = _input(folder, rows)
        cost = _cost(cli.begin("submit", name, "--run-dir", f"r{time.monotonic_ns()}", "--max-queued", rows, "--quiet"))
        return cost._replace(memory=redis.memory() - before)


def applied(folder: Path, rows: int) -> Cost:
    """Give the same rows to a task, one by one."""
    with broker() as redis:
        before = redis.memory()
        command = [sys.executable, "-m", "tests.bench.submitting", "--plain", folder / _input(folder, rows), redis.url]
        cost = _cost(subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return cost._replace(memory=redis.memory() - before)


def _input(folder: Path, rows: int) -> str:
    """Write the examples' rows, over and over again."""
    examples = (PROJECT / "examples/edits.jsonl").read_text().splitlines()
    path = folder / f"{rows}.jsonl"
    with path.open(
        "w"
    ) as file:  # line by line: a process that is begun counts the memory of whoever begins it as its own
        file.writelines(f"{examples[number % len(examples)]}\n" for number in range(rows))
    return path.name


def _cost(process: subprocess.Popen[str]) -> Cost:
    begun = time.monotonic()
    said = process.stderr.read() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - begun, 0.0, usage.ru_maxrss / 1024)


def plain(path: Path, url: str) -> None:
    """Be the process that calls `apply_async`."""
    app = Celery("plain", broker=url, set_as_current=False)
    app.conf.task_ignore_result = True

    @app.task(name="edit")
    def edit(row: dict[str, object]) -> None:
        del row

    with path.open() as lines:
        for line in lines:
            edit.apply_async(args=(json.loads(line),))


def per_row(measure: Callable[[Path, int], Cost], folder: Path, rows: int) -> Cost:
    """Return what a row costs after the first."""
    first, all_ = measure(folder, 1), measure(folder, rows)
    cpu, wall, memory = ((last - begin) / (rows - 1) for begin, last in zip(first[:3], all_[:3], strict=True))
    return Cost(cpu, wall, memory, all_.peak)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both in turn, and print a table of medians."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.submitting", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plain", nargs=2, metavar=("FILE", "URL"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.plain:
        plain(Path(given.plain[0]), given.plain[1])
        return
    print(
        f"`python -m tests.bench.submitting` on {platform.machine()}, {os.cpu_count()} cores, load"
        f" {os.getloadavg()[0]:.1f}, Python {platform.python_version()}; {given.rows:,} rows, {given.rounds} rounds\n"
    )
    found: dict[str, list[Cost]] = {"producer submit": [], "plain apply_async": []}
    with TemporaryDirectory(prefix="fleet-bench-") as place:
        for _ in range(given.rounds):
            for costs, measure in zip(found.values(), (submitted, applied), strict=True):
                costs.append(per_row(measure, Path(place), given.rows))
    heads = ["medians", "CPU ms/row", "rows/s of a core", "spread", "rows/s", "bytes in Redis/row", "MiB at most"]
    print("\n".join(table(heads, (_line(name, costs) for name, costs in found.items()))))
    ratios = [theirs.cpu / ours.cpu for ours, theirs in zip(*found.values(), strict=True)]
    times = f"{statistics.median(ratios):.1f} times"
    print(f"\nOf a core, {times} as many rows as plain ({min(ratios):.1f} to {max(ratios):.1f}).")


def _line(name: str, costs: Sequence[Cost]) -> list[object]:
    cpu, wall, memory, peak = (statistics.median(values) for values in zip(*costs, strict=True))
    rates = [1 / cost.cpu for cost in costs]
    spread = f"{min(rates):,.0f}-{max(rates):,.0f}"
    return [name, f"{1000 * cpu:.3f}", f"{1 / cpu:,.0f}", spread, f"{1 / wall:,.0f}", f"{memory:,.0f}", f"{peak:.0f}"]


if __name__ == "__main__":
    main()
