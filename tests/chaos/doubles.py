"""Rows that were edited more than once: whose fault that was, and whether it could have been helped."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.chaos.logs import Batch, Receipt, WorkerLog
from tests.chaos.schedule import Kind
from tests.chaos.strokes import Stroke

#: Faults after which a micro-batch that was on the victim's GPU, or just off it, has to be done again.
_DEADLY = {Kind.WORKER_KILLED, Kind.WORKER_FROZEN}


@dataclass(frozen=True, kw_only=True)
class Double:
    """An edit of a row that had been edited before."""

    row: int
    first: Batch
    again: Batch
    #: To which it is due; None where there was none before.
    fault: Stroke | None
    #: Whether Redis had sent the row to a worker that froze before it could read it, and then gave it to another.
    is_stale: bool = False

    @property
    def could_be_helped(self) -> bool:
        """Whether the first edit was neither taken from its worker in the middle nor of a message nobody could see."""
        fault = self.fault
        if fault is None or fault.kind not in _DEADLY:
            return True
        if self.is_stale:
            return False
        return self.first.worker != fault.victim or self.first.begun > fault.when

    def __str__(self) -> str:
        fault = f"{self.fault.kind}: {self.fault.victim}" if self.fault else "no fault"
        return (
            f"row {self.row} was edited in {self.first} and again in {self.again} ({fault}), which could have been"
            " helped"
        )


def rides(logs: Iterable[WorkerLog], run: str) -> dict[int, list[Batch]]:
    """Return the micro-batches of each of the run's rows, in their order."""
    found = defaultdict(list)
    for batch in sorted((batch for log in logs for batch in log.batches.values()), key=lambda batch: batch.begun):
        for of, row in (name.split(".") for name in batch.rows):
            if of == run:
                found[int(row)].append(batch)
    return dict(found)


def doubles(logs: Sequence[WorkerLog], run: str, strokes: Sequence[Stroke]) -> list[Double]:
    """Return the edits that were one too many: of rows in more than one micro-batch that was done."""
    receipts, by_worker = defaultdict(list), defaultdict(list)
    for receipt in (receipt for log in logs for receipt in log.receipts):
        receipts[receipt.row].append(receipt)
        by_worker[receipt.worker].append(receipt)
    found = []
    for row, batches in rides(logs, run).items():
        done = [batch for batch in batches if batch.done is not None]
        for again in done[1:]:
            came = [_receipt(receipts[f"{run}.{row}"], batch) for batch in (done[0], again)]
            double = Double(row=row, first=done[0], again=again, fault=_cause(row, done[0], came, strokes))
            if double.could_be_helped and (freezes := _freezes(came, by_worker, strokes)):
                double = replace(double, fault=freezes[-1], is_stale=True)
            found.append(double)
    return found


def _freezes(
    came: Sequence[Receipt], by_worker: Mapping[str, Sequence[Receipt]], strokes: Sequence[Stroke]
) -> list[Stroke]:
    """Return the freezes after which one of these was the first message that the worker read: it may have waited."""
    return [
        stroke
        for stroke in strokes
        for receipt in came
        if stroke.kind is Kind.WORKER_FROZEN and stroke.victim == receipt.worker
        if receipt is next((other for other in by_worker[receipt.worker] if other.when > stroke.when), None)
    ]


def _receipt(receipts: Sequence[Receipt], batch: Batch) -> Receipt:
    """Return with which of a row's receipts it came into a micro-batch."""
    return [receipt for receipt in receipts if receipt.worker == batch.worker and receipt.when <= batch.begun][-1]


def _cause(row: int, first: Batch, receipts: Sequence[Receipt], strokes: Sequence[Stroke]) -> Stroke | None:
    """Return the fault that brought a row to a second worker.

    Where it came by two messages, a producer died before it had noted that it sent the first. Where the first edit was
    taken from its worker in the middle, that did it, whatever struck those who had the row after it. Else it is the
    last fault before the last delivery that struck the row's holder; or at least the last one.
    """
    delivered = max(receipt.when for receipt in receipts)
    before = [stroke for stroke in reversed(strokes) if stroke.when < delivered]
    senders = [stroke for stroke in before if stroke.kind is Kind.PRODUCER_KILLED]
    holders = [stroke for stroke in before if row in stroke.held]
    takers = [
        stroke
        for stroke in holders
        if stroke.kind in _DEADLY and stroke.victim == first.worker and first.begun <= stroke.when
    ]
    are_different = len({receipt.sending for receipt in receipts}) > 1
    return next(iter([*(senders if are_different else []), *takers, *holders, *before]), None)
