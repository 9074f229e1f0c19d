"""What must hold for a command to go on: a broker that answers, a run that is wanted, rows that were sent to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import redis

from producer.run.failures import broker_errors
from producer.run.ledger import Ledger
from producer.run.manifest import is_remembered_broker
from producer.run.older import ADVICE, left_by_older
from producer.run.open_run import Run
from producer.run.records import State
from producer.run.retrying import REFUSALS, Retrying
from worker.contract.broker_errors import Trouble, trouble
from worker.contract.broker_trial import try_broker
from worker.contract.broker_url import shown
from worker.contract.counting import counted
from worker.contract.errors import RunCancelled, RunError
from worker.contract.outcomes import OutcomeStream, open_redis
from worker.contract.revocations import Revocations
from worker.settings.fleet import Settings

#: Seconds that a look may take which nothing hangs on.
_GLANCE: Final = 3.0


def require_broker(
    settings: Settings,
    say: Callable[[str], None],
    *,
    writing: bool = True,
    looking: bool = False,
    watch: Callable[[], None] = lambda: None,
) -> None:
    """Make sure that the broker can be worked with, so that a wrong address is said at once and not waited for.

    One that is there and refuses for a while is waited for: its address is right. `looking`: see `broker_errors`.

    Raises:
        RunError: it cannot; the sentence names it.

    """
    retrying = Retrying(settings, say, bears=REFUSALS, watch=watch)
    with broker_errors(settings, looking=looking):
        retrying(lambda: try_broker(settings.broker, writing=writing))
        if writing:
            _tell_of_older(settings, retrying)


def _tell_of_older(settings: Settings, retrying: Retrying) -> None:
    with open_redis(settings.broker) as client:
        left = retrying(lambda: left_by_older(client, settings.model))
    if left is not None:
        retrying.say(f"{left}: {ADVICE}.")


def is_gone(ledger: Ledger, settings: Settings) -> bool:
    """Tell whether nothing of a run is on its way any more, as far as one look at its Redis says it.

    It was cancelled, that Redis knows nothing of it, or has ended with its `producer run`. Of another that does not
    answer nobody knows.
    """
    own = ledger.get("broker")
    try:
        with open_redis(own or settings.broker, patience=None, timeout=_GLANCE) as client:
            return is_forgotten(OutcomeStream(client, ledger.run), Revocations(client, ledger.run))
    except redis.RedisError as error:
        return bool(own) and trouble(error) is Trouble.AWAY


def is_forgotten(stream: OutcomeStream, revocations: Revocations) -> bool:
    """Tell whether a Redis has none of a run's rows any more: it has lost them, or the run was cancelled."""
    return stream.status() is None or revocations.cancelled


def require_sent(run: Run) -> None:
    """Make sure that every unanswered row was sent, and to this very Redis, so that waiting for answers has an end.

    One that does not know the run has lost it, if it is at the same address: the rows are sent again, once it is clear
    that they are lost. At another address it is probably the wrong one.

    Raises:
        RunError: rows were never sent, or Redis is another one.

    """
    states = run.ledger.states()
    another = run.retrying(run.stream.status) is None and not is_remembered_broker(run.ledger, run.settings)
    if rows := states[State.NOTED] + (states[State.SENT] if another else 0):
        absent = counted(rows, f"row of the run {run.folder} is", f"rows of the run {run.folder} are")
        raise RunError(
            f"{absent} not in Redis at {shown(run.settings.broker)};"
            f" send {'it' if rows == 1 else 'them'} with the same `producer submit` again."
        )


def require_wanted(run: Run) -> None:
    """Make sure that nobody has cancelled the run.

    Raises:
        RunCancelled: it was cancelled; the sentence says how it is taken up again.

    """
    if run.retrying(lambda: run.revocations.cancelled):
        rows = counted(run.ledger.unanswered, "row is", "rows are")
        raise RunCancelled(f"The run {run.folder} was cancelled: {rows} unanswered; {how_to_go_on(run.folder)}.")


def how_to_go_on(folder: Path) -> str:
    """Say how a cancelled run is taken up again."""
    return f"the same `producer submit`, or `producer retry {folder} --only unanswered`, takes it up again"


def changed_rows(run: Run, rows: int) -> RunError:
    """Return the error that rows are not what they were when they were sent."""
    return RunError(f"{are_changed(run, rows, 'added or changed')}; {sends_them(rows)}")


def are_changed(run: Run, rows: int, what: str = "changed") -> str:
    """Say that rows are not what they were when they were sent."""
    path = run.source.path
    return counted(
        rows, f"row of {path} was {what} since it was sent", f"rows of {path} were {what} since they were sent"
    )


def sends_them(rows: int) -> str:
    """Say how such rows are sent."""
    return f"the same `producer submit` again sends {'it' if rows == 1 else 'them'}."
