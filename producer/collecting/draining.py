"""Draining workers: they take no more rows, finish those in hand, and end."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from producer.collecting.fleet import PATIENCE, Answers, asked, fleet_status
from worker.contract.broker_url import shown
from worker.contract.errors import RunError
from worker.settings.fleet import Settings

#: Seconds of a look at those that are to end: one that misses a look is looked for once more.
_GLANCE: Final = 2.0

#: Seconds between two looks at workers that finish their rows.
_INTERVAL: Final = 1.0

#: Looks in which a worker must not have answered before it counts as ended.
_LOOKS: Final = 2

#: Workers that a sentence names.
_NAMED: Final = 10


def drain(settings: Settings, named: Sequence[str]) -> dict[str, int]:
    """Have workers drained, every one that is up where none is named; return how many rows each has in hand.

    Raises:
        RunError: one is not up, and then none is drained; or one did not answer.

    """
    wanted = sorted({*named}) or sorted(fleet_status(settings, PATIENCE))
    if not wanted:
        raise RunError(f"No worker answers{_at(settings)}; there is nothing to drain.")
    if absent := sorted({*wanted} - {*asked(settings, "fleet", PATIENCE, wanted)}):
        up = fleet_status(settings, PATIENCE)
        raise RunError(f"{_listed(absent)}: no such worker answers{_at(settings)}, and none is drained; {_up(up)}.")
    answers = asked(settings, "drain", PATIENCE, wanted)
    if silent := [name for name in wanted if "rows_in_hand" not in answers.get(name, {})]:
        why = next((str(answers[name].get("error")) for name in silent if name in answers), "no answer")
        raise RunError(f"{_listed(silent)}: not drained ({why}); ask again, or end the process with SIGTERM.")
    return {name: int(answers[name]["rows_in_hand"]) for name in wanted}


def await_ends(
    settings: Settings, names: Sequence[str], ended: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Wait until every one of these workers, which are being drained, has ended; `ended` is told of each."""
    missed = dict.fromkeys(names, 0)
    while missed:
        answers = asked(settings, "fleet", _GLANCE, [*missed])
        for name in [*missed]:
            # One that answers and is not being drained is another, which its supervisor has started.
            missed[name] = 0 if name in answers else missed[name] + 1
            if missed[name] >= _LOOKS or not answers.get(name, {}).get("draining", True):
                del missed[name]
                ended(name)
        if missed:
            sleep(_INTERVAL)


def _at(settings: Settings) -> str:
    return f" at {shown(settings.broker)}"


def _up(answers: Answers) -> str:
    return f"up are {_listed(sorted(answers))}" if answers else "none is up"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
