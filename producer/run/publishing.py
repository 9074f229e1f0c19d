"""Publishing: one task on Redis per request."""

from collections.abc import Iterable, Iterator, Sequence
from secrets import token_hex
from typing import Final

from producer.run.opening import Run
from producer.run.preconditions import require_wanted
from worker.contract.envelope import Envelope
from worker.contract.errors import RunError
from worker.contract.messages import EditRequest
from worker.contract.outcomes import open_redis
from worker.contract.sharing import Splitter

#: Rows per transaction of the ledger and per round trip to Redis.
CHUNK: Final = 1000

#: Characters of messages per command: a row's own picture alone may have more.
_PIECE: Final = 2**20

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
    run.announce()
    # Anew in each attempt, with ids of its own: no client may send a message twice that is known by its id.
    with open_redis(run.settings.broker, patience=None) as client:
        for messages in _in_pieces(_messages(run, requests)):
            client.lpush(run.queue.name, *messages)
    run.queue.announce()


def _messages(run: Run, requests: Iterable[EditRequest]) -> Iterator[str]:
    envelope, splitter = Envelope(run.queue.name), Splitter(run.shared)
    for request in requests:
        # Readable in logs and in Flower; unique, since a row may be sent more than once.
        task = f"{request.run}.{request.row}.{token_hex(4)}"
        # What Flower shows: the message itself says less, and its folder elsewhere.
        yield envelope.message(task, splitter.own(request), for_flower(request))


def _in_pieces(messages: Iterable[str]) -> Iterator[list[str]]:
    """Yield messages in lists of about a megabyte, since a row may hold a picture."""
    piece: list[str] = []
    room = _PIECE
    for message in messages:
        piece.append(message)
        room -= len(message)
        if room <= 0:
            yield piece
            piece, room = [], _PIECE
    if piece:
        yield piece


def for_flower(request: EditRequest) -> str:
    """Say of a row what a person looks for: its picture, the first words of its instruction, its folder and row."""
    words = " ".join(request.prompt.split())
    facts = {
        "image": "(in the row itself)" if request.images[0].startswith("data:") else request.images[0],
        "instruction": words if len(words) <= _WORDS else f"{words[:_WORDS]}…",
        "folder": request.output_dir,
        "row": request.row,
    }
    return f"({', '.join(f'{name}={fact!r}' for name, fact in facts.items())})"
