"""Who has a row in hand: the worker that took it last; any other lets go of it before its GPU begins.

Two workers have a row where one was taken for dead and lives on, as after a freeze, or where a message came twice.
"""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import redis
from kombu.transport.redis import Channel

from worker.batching.jobs import EditJob, Ticket
from worker.contract.broker_words import reason
from worker.contract.errors import Unwanted
from worker.contract.redis_keys import KEPT, answered_key, run_key
from worker.delivery.quarantine import INSTANCE

logger = logging.getLogger(__name__)


class Note(NamedTuple):
    """Who holds a row, as Redis has it: the key and the field of a hash, and what stands there."""

    key: str
    field: str
    holder: str


class Ownership:
    """The notes of who holds which row, in Redis; an outcome takes its row's away (`worker.contract.outcomes`)."""

    def __init__(self, client: redis.Redis, hasty: redis.Redis, instance: str = INSTANCE) -> None:
        """`hasty` raises at once where Redis does not answer: the GPU must not wait."""
        self._client = client
        self._hasty = hasty
        self._instance = instance

    def take(self, ticket: Ticket) -> None:
        """Note that this process has the row in hand."""
        with self._client.pipeline(transaction=False) as pipe:
            note = self.note(ticket)
            pipe.hset(note.key, note.field, note.holder)
            pipe.expire(note.key, KEPT)
            pipe.delete(answered_key(ticket.run, ticket.row))  # of an earlier form, or of one that had failed
            pipe.execute()

    def note(self, ticket: Ticket) -> Note:
        """Return what stands in Redis for as long as this process has the row in hand."""
        return Note(run_key(ticket.run, "holders"), str(ticket.row), self._name(ticket))

    def objections(self, jobs: Sequence[EditJob]) -> list[Unwanted | None]:
        """Say of each row why it must not be edited here: another worker has it."""
        return [
            Unwanted(f"row {job.ticket.row}: another worker has it.") if is_elsewhere else None
            for job, is_elsewhere in zip(jobs, self.elsewhere([job.ticket for job in jobs]), strict=True)
        ]

    def elsewhere(self, tickets: Sequence[Ticket]) -> list[bool]:
        """Tell of each row whether another worker has it, or has answered it; no where Redis does not answer."""
        try:
            with self._hasty.pipeline(transaction=False) as pipe:
                for ticket in tickets:
                    pipe.hget(run_key(ticket.run, "holders"), str(ticket.row))
                    pipe.exists(answered_key(ticket.run, ticket.row))
                    pipe.hexists(Channel.unacked_key, ticket.tag)
                found: list[Any] = pipe.execute()
        except redis.RedisError as error:
            logger.warning("nobody knows whether others have these rows, too: %s", reason(error))
            return [False] * len(tickets)
        # A Redis that lost its last second has forgotten the note, and not that the message is unacknowledged.
        return [
            bool(answered or not unacknowledged) if holder is None else holder != self._name(ticket).encode()
            for ticket, holder, answered, unacknowledged in zip(
                tickets, found[::3], found[1::3], found[2::3], strict=True
            )
        ]

    def _name(self, ticket: Ticket) -> str:
        return f"{self._instance} {ticket.task}"
