"""A stand-in for workers: it answers a run's rows with all that a worker says of them, as fast as Redis takes it."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from producer.run.ledger import Ledger
from producer.run.records import Record
from worker.contract.messages import Outcome
from worker.contract.outcomes import open_redis
from worker.contract.redis_keys import run_key

#: Outcomes per round trip.
_CHUNK = 1000


def answer_all(folder: Path, url: str, picture: str | None = None) -> None:
    """Answer every row of a run that nobody has taken; `picture`: one for all of them, in the run folder."""
    with Ledger(folder, read_only=True) as ledger, open_redis(url) as client:
        outcomes = _outcomes(ledger.run, ledger.records(), picture)
        while some := list(islice(outcomes, _CHUNK)):
            with client.pipeline(transaction=False) as pipe:  # where a worker needs a round trip for each
                for outcome in some:
                    pipe.xadd(run_key(ledger.run, "outcomes"), {"outcome": outcome.encode()})
                pipe.execute()


def _outcomes(run: str, records: Iterator[Record], picture: str | None) -> Iterator[Outcome]:
    for record in records:
        yield Outcome(
            run=run,
            row=record.row,
            fingerprint=record.fingerprint or "",
            status="done",
            paths=(picture or f"sample_{record.row}/sample_{record.row}_0.png",),
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
