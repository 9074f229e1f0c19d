"""Publishing: one task on Redis per request."""

from collections.abc import Sequence
from typing import Final
from uuid import uuid4

from producer.run.opening import Run
from producer.run.preconditions import require_wanted
from worker.celery import plain_queue
from worker.contract.calling import RUN_LISTED, call_workers
from worker.contract.errors import RunError
from worker.contract.messages import TASK_NAME, EditRequest

#: Rows per transaction of the ledger and per round trip to Redis.
CHUNK: Final = 1000

#: Most characters of an instruction that Flower shows.
_WORDS: Final = 60


def publish(run: Run, requests: Sequence[EditRequest]) -> None:
    """Publish one task per request, in one round trip, however long Redis is away.

    Where it was away some may be published twice; workers know the finished ones.

    Raises:
        RunError: the run was cancelled; what was just published is removed again.

    """
    run.retrying(lambda: _publish(run, requests))
    try:
        require_wanted(run)
    except RunError:
        # Whoever has cancelled it may have emptied the queue before these came.
        run.retrying(run.queue.purge)
        raise


def _publish(run: Run, requests: Sequence[EditRequest]) -> None:
    # Before the rows, so that none is ever where nobody looks; after them, since an empty queue is struck out in time.
    is_new = run.queue.announce()
    _send(run, requests, is_new=is_new)
    run.queue.announce()


def _send(run: Run, requests: Sequence[EditRequest], *, is_new: bool) -> None:
    queue = plain_queue(run.queue.name)
    # A connection of its own: kombu's pool would keep one that has failed.
    with (
        run.app.connection_for_write() as connection,
        run.app.amqp.Producer(connection) as producer,
        producer.batch(CHUNK),
    ):
        if is_new:  # who has nothing to do looks by himself, too, but seldom
            call_workers(run.app, connection.default_channel, RUN_LISTED, lane=run.queue.lane)
        for request in requests:
            run.app.send_task(
                TASK_NAME,
                args=(request.encode(),),
                # Readable in logs and in Flower; unique, since a row may be sent more than once.
                task_id=f"{request.run}.{request.row}.{uuid4().hex[:8]}",
                # What Flower shows: the message itself is long, and of no use to a reader.
                argsrepr=for_flower(request),
                kwargsrepr="{}",
                producer=producer,
                queue=queue,
                retry=False,
            )


def for_flower(request: EditRequest) -> str:
    """Say of a row what a person looks for: its picture, the first words of its instruction, its folder and row."""
    words = " ".join(request.prompt.split())
    facts = {
        "image": "(in the row itself)" if request.images[0].startswith("data:") else request.images[0],
        "instruction": words if len(words) <= _WORDS else f"{words[:_WORDS]}…",
        "folder": request.output_dir,
        "run": request.run,
        "row": request.row,
    }
    return f"({', '.join(f'{name}={fact!r}' for name, fact in facts.items())})"
