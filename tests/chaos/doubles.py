"""Rows that were edited more than once: whose fault that was, and whether it could have been helped."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.logs import Batch, Receipt, WorkerLog
from tests.chaos.schedule import Kind
from tests.chaos.strokes import Stroke

#: Faults after which a micro-batch that was on the victim's GPU, or just off it, has to be done again.
_DEADLY = {Kind.WORKER_KILLED, Kind.WORKER_FROZEN}

#: Faults during which workers cannot ask Redis, or what they did last is forgotten.
_OF_REDIS = {Kind.REDIS_RESTARTED, Kind.REDIS_FAILED_OVER, Kind.REDIS_REFUSED}


@dataclass(frozen=True, kw_only=True)
class Double:
    """An edit of a row that had been edited before."""

    row: int
    first: Batch
    again: Batch
    #: To which it is due; None where there was none before.
    fault: Stroke | None
    could_be_helped: bool

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
    of_row, of_worker = defaultdict(list), defaultdict(list)
    for receipt in (receipt for log in logs for receipt in log.receipts):
        of_row[receipt.row].append(receipt)
        of_worker[receipt.worker].append(receipt)
    found = []
    for row, batches in rides(logs, run).items():
        done = [batch for batch in batches if batch.done is not None]
        for again in done[1:]:
            came = [_receipt(of_row[f"{run}.{row}"], batch) for batch in (done[0], again)]
            found.append(_double(_Edits(run, row, done[0], again, came), of_worker, strokes))
    return found


def _receipt(receipts: Sequence[Receipt], batch: Batch) -> Receipt:
    """Return with which of a row's receipts it came into a micro-batch."""
    return [receipt for receipt in receipts if receipt.worker == batch.worker and receipt.when <= batch.begun][-1]


@dataclass(frozen=True)
class _Edits:
    run: str
    row: int
    first: Batch
    again: Batch
    #: With which each of them came.
    receipts: Sequence[Receipt]

    def double(self, fault: Stroke | None, *, could_be_helped: bool) -> Double:
        return Double(row=self.row, first=self.first, again=self.again, fault=fault, could_be_helped=could_be_helped)


def _double(edits: _Edits, of_worker: Mapping[str, Sequence[Receipt]], strokes: Sequence[Stroke]) -> Double:
    """Find the fault that brought a row to a second worker; the first of these that is true.

    - It came by two messages, since a producer died before it had noted that it sent the first, and the second edit
      began when the first was over.
    - The first edit was taken from its worker in the middle, whatever struck those who had the row after it.
    - The second began while Redis was away, since a GPU that waits is no better off than one that edits in vain.
    - A message was on its way to a worker that froze, and Redis, which restarted, gave the row to another as well.
    - It is the last fault that struck the row's holder before the last delivery; or at least the last one.
    """
    delivered = max(receipt.when for receipt in edits.receipts)
    before = [stroke for stroke in reversed(strokes) if stroke.when < delivered]
    holders = [stroke for stroke in before if f"{edits.run}.{edits.row}" in stroke.held]
    begun = edits.first.begun
    takers = [
        stroke
        for stroke in holders
        if stroke.kind in _DEADLY and stroke.victim == edits.first.worker and begun <= stroke.when
    ]
    is_over = edits.first.done is not None and edits.first.done <= edits.again.begun
    if is_over and len({receipt.sending for receipt in edits.receipts}) > 1:
        senders = [stroke for stroke in before if stroke.kind is Kind.PRODUCER_KILLED]
        if senders:
            return edits.double(senders[0], could_be_helped=True)
    if takers:
        return edits.double(takers[0], could_be_helped=False)
    away = [stroke for stroke in reversed(strokes) if stroke.kind in _OF_REDIS and stroke.when < edits.again.begun]
    if edits.again.unasked and away:
        return edits.double(away[0], could_be_helped=False)
    if freezes := _freezes(edits.receipts, of_worker, strokes):
        return edits.double(freezes[-1], could_be_helped=False)
    return edits.double(next(iter([*holders, *before]), None), could_be_helped=True)


def _freezes(
    receipts: Sequence[Receipt], of_worker: Mapping[str, Sequence[Receipt]], strokes: Sequence[Stroke]
) -> list[Stroke]:
    """Return the freezes after which one of these was the first message that the worker read: it may have waited."""
    return [
        stroke
        for stroke in strokes
        for receipt in receipts
        if stroke.kind is Kind.WORKER_FROZEN and stroke.victim == receipt.worker
        if receipt is next((other for other in of_worker[receipt.worker] if other.when > stroke.when), None)
    ]
