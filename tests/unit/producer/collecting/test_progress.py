"""How far a run is: its counts."""

import json
from pathlib import Path

from producer.collecting.progress import Status, status_of
from producer.run.ledger import Ledger
from producer.run.records import Entry, State
from worker.contract.messages import Outcome

A = "a" * 32


def test_a_new_run_has_no_rows(tmp_path: Path) -> None:
    """An empty ledger is a status of zeros, without a share of full batches."""
    with Ledger(tmp_path) as ledger:
        assert status_of(ledger, 0) == Status(total=0, done=0, failed=0, waiting=0, rows_per_s=0)


def test_a_status_is_what_the_ledger_has(tmp_path: Path) -> None:
    """Kept rows are counted by themselves, noted and sent ones wait, and batches and workers are counted."""

    def outcome(row: int, worker: str, size: int | None, *, failed: bool = False) -> Outcome:
        return Outcome(
            run="0" * 16, row=row, fingerprint=A, worker=worker, batch_size=size, batch_limit=size and 4,
            status="failed" if failed else "done",
        )  # fmt: skip

    with Ledger(tmp_path) as ledger:
        ledger.note([Entry(row, A, State.NOTED) for row in range(7)])
        ledger.note([Entry(7, None, State.KEPT), Entry(8, None, State.FAILED, "Bad.")])
        ledger.sent(range(6))
        ledger.apply([outcome(0, "b", 4), outcome(1, "a", 4), outcome(2, "a", 3), outcome(3, "a", None, failed=True)])
        status = status_of(ledger, 1.5)
    assert status == Status(
        total=9,
        done=3,
        failed=2,  # row 3 by a worker, row 8 at once
        kept=1,
        waiting=3,  # rows 4 and 5 were sent, 6 was not
        unsent=1,
        rows_per_s=1.5,
        workers={"a": 3, "b": 1},
        full_batches=0.6667,  # 2 of the 3 rows that rode in a batch
    )
    assert Status.read(json.dumps({**status.as_dict(), "of_a_later_version": 1})) == status
