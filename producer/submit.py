"""Submitting: rows of the input become tasks on Redis, never more at a time than the window allows."""

from collections.abc import Callable, Sequence
from uuid import uuid4

from celery import Celery

from producer.collect import Collector
from producer.lines import in_chunks, read_lines
from producer.progress import Status
from producer.records import Entry, Noted, State
from producer.rows import Row
from producer.run import Run
from worker.celery import connect
from worker.contract import TASK_NAME, EditRequest

#: Rows per transaction of the ledger and per round trip to Redis.
_CHUNK = 1000


def submit(
    run: Run,
    collector: Collector,
    *,
    check: Callable[[Status], None],
    before_first: Callable[[], None] = lambda: None,
) -> int:
    """Publish every row that needs an edit, and return how many; collect outcomes while the window is full.

    `before_first` is called before the first row is published, and never if none is. `check` is called
    while the submission waits, and may raise to stop it.
    """
    app = connect(run.settings)
    _recall_if_lost(run, collector)
    collector.drain()
    parser = run.parser
    total, published = 0, 0
    for lines in in_chunks(read_lines(run.source.path), min(_CHUNK, run.settings.max_queued)):
        rows = [parser.parse(line) for line in lines]
        total += len(rows)
        noted = run.ledger.note([_entry(row) for row in rows], lambda noted: _announce(run, rows, noted))  # noqa: B023
        requests = _requests(rows, noted.wanted)
        if not requests:
            continue
        if not published:
            collector.publish()  # from here on this Redis knows the run
            before_first()
        _wait_for_room(run, collector, len(requests), check)
        _publish(app, requests)
        # A crash before this line publishes the chunk again; workers know the finished ones.
        run.ledger.sent(request.row for request in requests)
        published += len(requests)
    run.ledger.forget_from(total)
    if published:
        collector.publish()
    return published


def _announce(run: Run, rows: Sequence[Row], noted: Noted) -> None:
    again = {request.row: request.fingerprint for request in _requests(rows, noted.known)}
    run.notes.supersede(noted.superseded, again)


def _requests(rows: Sequence[Row], wanted: set[int]) -> list[EditRequest]:
    return [row.request for row in rows if row.request is not None and row.line.row in wanted]


def _recall_if_lost(run: Run, collector: Collector) -> None:
    """Notice a Redis that came back empty: it does not know the run, so it has none of its rows."""
    if run.stream.status() is None:
        run.ledger.recall()
        if run.ledger.unanswered:
            # Marked anew before anything is collected: a worker may have recorded a row since. A crash from here on
            # loses nothing, as the rows now count as not sent.
            collector.publish()


def _wait_for_room(run: Run, collector: Collector, rows: int, check: Callable[[Status], None]) -> None:
    while run.ledger.states()[State.SENT] + rows > run.settings.max_queued:
        check(collector.step())


def _publish(app: Celery, requests: Sequence[EditRequest]) -> None:
    with app.producer_or_acquire() as producer, producer.batch(_CHUNK):
        for request in requests:
            app.send_task(
                TASK_NAME,
                args=(request.encode(),),
                # Readable in logs and in Flower; unique, since a row may be sent more than once.
                task_id=f"{request.run}.{request.row}.{uuid4().hex[:8]}",
                # What Flower shows: the message itself is long, and of no use to a reader.
                argsrepr=f"(run={request.run!r}, row={request.row})",
                kwargsrepr="{}",
                producer=producer,
                retry=False,
            )


def _entry(row: Row) -> Entry:
    if row.request is not None:
        return Entry(row.line.row, row.request.fingerprint, State.NOTED)
    return Entry(row.line.row, None, State.KEPT if row.kept else State.FAILED, row.error)
