"""What a row costs the producer and the collector while neither waits for a worker: what one of each can do."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.bench.answers import answer_all
from tests.bench.many.processes import begin, broker
from tests.support.cli import CLI, row, write_jsonl


class Capacity(NamedTuple):
    """CPU seconds of a row, without what a command costs before its first."""

    producer: float
    collector: float


def capacity(rows: int) -> Capacity:
    """Submit rows that nobody takes, answer them all as workers would, and collect the answers."""
    with TemporaryDirectory(prefix="fleet-bench-") as place, broker() as redis:
        cli = CLI(Path(place), {"broker_url": redis.url})
        least, whole = (_costs(cli, f"run{count}", count) for count in (1, rows))
    return Capacity(*((all_ - first) / (rows - 1) for first, all_ in zip(least, whole, strict=True)))


def _costs(cli: CLI, name: str, rows: int) -> Capacity:
    write_jsonl(cli.folder / f"{name}.jsonl", [row("a.png", f"Make it {number}.") for number in range(rows)])
    producer = begin(cli, "submit", f"{name}.jsonl", "--run-dir", name, "--max-queued", rows, "--quiet").cpu()
    answer_all(cli.folder / name, str(cli.settings["broker_url"]))
    return Capacity(producer, begin(cli, "collect", name, "--quiet").cpu())
