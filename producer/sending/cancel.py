"""Cancelling: nothing more is done of a run, whoever is at work on it."""

from collections.abc import Callable
from pathlib import Path

import redis

from producer.collecting.status import run_status
from producer.run import opening
from producer.run.failures import broker_errors, ledger_errors
from producer.run.ledger import Ledger
from producer.run.manifest import remembered
from producer.run.preconditions import how_to_go_on
from producer.run.queues import RunQueue
from producer.run.retrying import REFUSALS, Retrying
from worker.celery import connect
from worker.contract.counting import counted
from worker.contract.messages import all_queue_names
from worker.contract.outcomes import open_redis
from worker.contract.revocations import Revocations
from worker.settings.fleet import Settings


def cancel(folder: Path, say: Callable[[str], None], broker_url: str | None = None) -> str:
    """Cancel a run, without its lock, and return a sentence that says so; again changes nothing.

    Raises:
        RunError: the folder holds no run, or Redis cannot be asked.

    """
    opening.require(folder)
    with ledger_errors(folder), Ledger(folder, read_only=True) as ledger:
        _, settings = remembered(folder, ledger, broker_url=broker_url)
        run, own = ledger.run, broker_url is None and bool(ledger.get("broker"))
    with broker_errors(settings):
        waiting = run_status(folder, say, broker_url).waiting
        if not waiting:
            return f"The run {folder} is finished; there is nothing to cancel."
        try:
            removed = Retrying(settings, say, bears=REFUSALS)(lambda: withdraw(settings, run))
        except redis.ConnectionError:
            if own:
                return f"Nobody is at work on the run {folder}: its `producer run` has ended, and its Redis with it."
            raise
    return (
        f"The run {folder} is cancelled: {counted(waiting, 'row is', 'rows are')} unanswered, and"
        f" {counted(removed, 'message was', 'messages were')} removed from the queue; {how_to_go_on(folder)}."
    )


def withdraw(settings: Settings, run: str) -> int:
    """Have nobody work on a run any more, and return how many messages left the queue; again changes nothing.

    Raises:
        redis.RedisError: Redis cannot be asked.

    """
    client = open_redis(settings.broker)
    # First the mark: whoever publishes rows after it takes them back, and workers drop what they receive.
    Revocations(client, run).cancel()
    removed = RunQueue(client, settings.queue, run, others=all_queue_names(settings.model)).purge()
    connect(settings).control.broadcast("cancel_run", arguments={"run": run})
    return removed
