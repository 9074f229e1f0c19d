"""What Redis has of a run beyond its ledger: its queue, its collector's counts, answers that nobody has collected."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import redis

from producer.collecting.pace import is_collected
from producer.collecting.shares import Share, shares
from producer.collecting.uncollected import Uncollected
from producer.run.failures import broker_errors
from producer.run.ledger import Ledger
from producer.run.queues import RunQueue
from producer.run.retrying import REFUSALS, Retrying
from worker.contract.outcomes import OutcomeStream, open_redis
from worker.contract.revocations import Revocations
from worker.settings.fleet import Settings


class Queue(NamedTuple):
    """What is in Redis of a run's rows."""

    name: str
    #: Rows that wait.
    rows: int
    #: Rows that workers hold.
    in_hand: int


@dataclass(frozen=True, kw_only=True)
class InRedis:
    """What was found."""

    #: The counts that its last collector has published; None if this Redis does not know the run.
    published: str | None
    is_collected: bool
    is_cancelled: bool
    uncollected: Uncollected
    queue: Queue
    #: None where no row of the run waits.
    share: Share | None
    #: Seconds by Redis' clock.
    now: float


def look(ledger: Ledger, settings: Settings, say: Callable[[str], None], *, own: bool) -> InRedis | None:
    """Ask Redis; None where it was the run's `own`, and has ended with it.

    Raises:
        RunError: Redis cannot be asked.

    """
    retrying = Retrying(settings, say, bears=REFUSALS)
    with broker_errors(settings, looking=True):
        try:
            return retrying(lambda: _found(ledger, settings))
        except redis.ConnectionError:
            if own:
                return None
            raise


def _found(ledger: Ledger, settings: Settings) -> InRedis:
    run = ledger.run
    with open_redis(settings.broker) as client:
        stream, queue = OutcomeStream(client, run), RunQueue(client, settings.queue, run)
        published, now = stream.status(), stream.now()
        uncollected = Uncollected(ledger, now)
        for entry in stream.unread():
            uncollected.add(entry)
        return InRedis(
            published=published,
            is_collected=is_collected(stream.quiet_for()),
            is_cancelled=Revocations(client, run).cancelled,
            uncollected=uncollected,
            queue=Queue(queue.name, len(queue), queue.held()),
            share=shares(client, settings.lanes).get(run),
            now=now,
        )
