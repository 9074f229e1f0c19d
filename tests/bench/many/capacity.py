"""What a row costs the producer and the collector while neither waits for a worker: what one of each can do."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from producer.run.ledger import Ledger
from producer.run.records import Record
from tests.bench.many.processes import begin, broker
from tests.support.cli import CLI, row, write_jsonl
from worker.contract.messages import Outcome
from worker.contract.outcomes import OutcomeStream, open_redis


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
    with Ledger(cli.folder / name, read_only=True) as ledger, open_redis(str(cli.settings["broker_url"])) as client:
        stream = OutcomeStream(client, ledger.run)
        for outcome in _outcomes(ledger.run, ledger.records()):
            stream.append(outcome)
    return Capacity(producer, begin(cli, "collect", name, "--quiet").cpu())


def _outcomes(run: str, records: Iterator[Record]) -> Iterator[Outcome]:
    """Answer rows with all that a worker says of them."""
    for record in records:
        yield Outcome(
            run=run,
            row=record.row,
            fingerprint=record.fingerprint or "",
            status="done",
            paths=(f"sample_{record.row}/sample_{record.row}_0.png",),
            bucket=(256, 256),
            batch_id=f"{record.row // 4:012x}",
            batch_size=4,
            batch_limit=4,
            seed=record.row,
            steps=28,
            true_cfg_scale=1.0,
            seconds={"decode": 0.0123, "wait": 0.4567, "model": 4.0001, "encode": 0.0456},
            worker="gpu0@bench",
            profile="exact",
            weights="0123456789abcdef",
            source_digests=("0" * 64,),
            tokens=12,
            tokens_read=12,
        )
