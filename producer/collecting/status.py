"""Looking on: a run's counts without its lock, and the workers that are up."""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import redis

from producer.collecting.progress import Status, status_of
from producer.run import opening
from producer.run.failures import broker_errors, ledger_errors
from producer.run.ledger import Ledger
from producer.run.manifest import remembered
from producer.run.retrying import REFUSALS, Retrying
from worker.celery import connect
from worker.contract.messages import Outcome, queue_name
from worker.contract.outcomes import OutcomeStream, open_redis
from worker.contract.revocations import Revocations
from worker.settings.fleet import Settings


def run_status(folder: Path, say: Callable[[str], None], broker_url: str | None = None) -> Status:
    """Return a run's counts: what its last collector published, and the outcomes that wait for the next.

    Raises:
        RunError: the folder holds no run, or Redis cannot be asked.

    """
    opening.require(folder)
    with ledger_errors(folder), Ledger(folder, read_only=True) as ledger:
        _, settings = remembered(folder, ledger, broker_url=broker_url)
        known = status_of(ledger, 0.0)
        if not known.waiting:  # a finished run needs no Redis
            return known
        client = open_redis(settings.broker)
        stream, revocations = OutcomeStream(client, ledger.run), Revocations(client, ledger.run)
        retrying = Retrying(settings, say, bears=REFUSALS)
        with broker_errors(settings):
            try:
                published, is_cancelled = retrying(lambda: (stream.status(), revocations.cancelled))
            except redis.ConnectionError:
                if broker_url is None and ledger.get("broker"):  # `producer run` has ended, and its Redis with it
                    return known
                raise
            if published is not None:
                known = Status(**json.loads(published))
            unread = retrying(lambda: list(stream.unread()))
        # By row: a row that was delivered twice is one row.
        news = {outcome.row: outcome for outcome in unread if ledger.awaited(outcome)}
    return replace(_with(known, list(news.values())), cancelled=is_cancelled)


def _with(status: Status, outcomes: list[Outcome]) -> Status:
    workers = dict(status.workers)
    for outcome in outcomes:
        workers[outcome.worker] = workers.get(outcome.worker, 0) + 1
    warnings = Counter(status.warnings) + Counter(kind.value for outcome in outcomes for kind in outcome.warnings)
    done = sum(outcome.status == "done" for outcome in outcomes)
    return replace(
        status,
        done=status.done + done,
        failed=status.failed + len(outcomes) - done,
        waiting=max(0, status.waiting - len(outcomes)),
        workers=workers,
        warnings=dict(warnings),
    )


def fleet_status(settings: Settings, patience: float = 1.0) -> dict[str, Any]:
    """Ask every worker for its model and queue; those that answer within `patience` seconds are up."""
    answers = connect(settings).control.broadcast("fleet", reply=True, timeout=patience)
    return {name: facts for answer in answers or () for name, facts in answer.items()}


class NoWorkerNotice:
    """Says once, in one sentence, that a run waits and no worker is up for its model."""

    def __init__(
        self, settings: Settings, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._say = say
        self._clock = clock
        self._answered = 0
        self._next_look: float | None = clock()

    def __call__(self, status: Status) -> None:
        """Look for a worker if nothing was answered since the last call; at most every ten seconds."""
        answered, self._answered = self._answered, status.done + status.failed
        if self._next_look is None or answered != self._answered or self._clock() < self._next_look:
            return
        self._next_look = self._clock() + 10
        queue = queue_name(self._settings.model)
        if all(facts.get("queue") != queue for facts in fleet_status(self._settings).values()):
            self._next_look = None
            self._say(
                f"No worker is up for {self._settings.model}; the run waits for one (celery -A worker worker,"
                f" with FLEET_DIFFUSER_MODEL_NAME={self._settings.diffuser_model_name} and the same FLEET_BROKER_URL)."
            )
