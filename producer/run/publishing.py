"""Publishing: one task on Redis per request."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from secrets import token_hex
from typing import Final

from producer.run.open_run import Run
from producer.run.preconditions import require_wanted
from worker.celery import connect
from worker.contract.calling import RUN_LISTED, call_workers
from worker.contract.envelope import Envelope
from worker.contract.errors import RunError
from worker.contract.inline_images import is_inline
from worker.contract.messages import EditRequest
from worker.contract.outcomes import open_redis
from worker.contract.sharing import Splitter
from worker.contract.urls import is_remote, shown

#: Rows per transaction of the ledger and per round trip to Redis.
CHUNK: Final = 1000

#: Characters of messages per command, and of one beside its instruction and images.
_PIECE: Final = 2**20
_ENVELOPE: Final = 500

#: Most characters of an instruction that Flower shows.
_WORDS: Final = 60


def publish(run: Run, requests: Sequence[EditRequest]) -> None:
    """Publish one task per request, in one command but for rows that hold pictures, however long Redis is away.

    Where it was away some may be published twice; workers know the finished ones.

    Raises:
        RunError: the run was cancelled; what was just published is removed again.

    """
    envelope, splitter = Envelope(run.queue.name), Splitter(run.shared)
    for piece in _in_pieces(requests):
        run.retrying(partial(_publish, run, piece, envelope, splitter))
    try:
        require_wanted(run)
    except RunError:
        # Whoever has cancelled it may have emptied the queue before these came.
        run.retrying(run.queue.purge)
        raise


def _in_pieces(requests: Iterable[EditRequest]) -> Iterator[list[EditRequest]]:
    """Yield requests in lists, each about a megabyte of messages: what a full Redis has taken is not sent twice."""
    piece: list[EditRequest] = []
    room = _PIECE
    for request in requests:
        piece.append(request)
        room -= _ENVELOPE + sum(map(len, request.prompts)) + sum(map(len, request.images))
        if room <= 0:
            yield piece
            piece, room = [], _PIECE
    if piece:
        yield piece


def _publish(run: Run, requests: Sequence[EditRequest], envelope: Envelope, splitter: Splitter) -> None:
    # Before the rows, so that none is ever where nobody looks; after them, since an empty queue is struck out in time.
    if run.announce():  # who has nothing to do looks by himself, too, but seldom
        _call_workers(run)
    # Anew in each attempt, and by a client that makes one: a message is known by its tag, so that none may come twice.
    messages = [_message(request, envelope, splitter) for request in requests]
    with open_redis(run.settings.broker, patience=None) as client:
        client.lpush(run.queue.name, *messages)
    run.queue.announce()


def _call_workers(run: Run) -> None:
    app = connect(run.settings)
    # A connection of its own: kombu's pool would keep one that has failed.
    with app.connection_for_write() as connection:
        call_workers(app, connection.default_channel, RUN_LISTED, lane=run.queue.lane)


def _message(request: EditRequest, envelope: Envelope, splitter: Splitter) -> str:
    # Readable in logs and in Flower; unique, since a row may be sent more than once.
    task = f"{request.run}.{request.row}.{token_hex(4)}"
    # What Flower shows: a row's own part alone is of no use to a reader.
    return envelope.message(task, splitter.own(request), for_flower(request))


def for_flower(request: EditRequest) -> str:
    """Say of a row what a person looks for: its picture, the first words of its instruction, its folder and row."""
    words = " ".join(" → ".join(request.prompts).split())
    facts: dict[str, object] = {} if not request.images else {"image": _image(request.images[0])}
    facts |= {
        "instruction": words if len(words) <= _WORDS else f"{words[:_WORDS]}…",
        "folder": request.output_dir,
        "row": request.row,
    }
    return f"({', '.join(f'{name}={fact!r}' for name, fact in facts.items())})"


def _image(image: str) -> str:
    if is_inline(image):
        return "(in the row itself)"
    return shown(image) if is_remote(image) else image
