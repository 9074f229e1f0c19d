"""The workers that are up, as they answer, and what is said where none of them takes a run's rows."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from producer.collecting.progress import Status
from worker.celery import connect
from worker.contract.lanes import lane_and_run
from worker.contract.version import own_version
from worker.settings.fleet import Settings

#: What workers tell of themselves, by their names.
Answers = Mapping[str, Mapping[str, Any]]

#: Workers that the sentence names.
_NAMED: Final = 4


#: Seconds in which a worker that is up has answered, whatever else its machine does.
PATIENCE: Final = 3.0


def fleet_status(settings: Settings, patience: float = 1.0) -> dict[str, Any]:
    """Ask every worker for its model and queue; those that answer within `patience` seconds are up."""
    return asked(settings, "fleet", patience)


def asked(settings: Settings, command: str, patience: float, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Give a command to workers, to every one where none is named; return what they answer by their names."""
    only = {} if names is None else {"destination": [*names], "limit": len(names)}
    answers = connect(settings).control.broadcast(command, reply=True, timeout=patience, **only)
    return {name: facts for answer in answers or () for name, facts in answer.items()}


class NoWorkerNotice:
    """Says once, in one sentence, that a run waits and no worker is up for its model, and which others are."""

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
        if (sentence := no_worker(fleet_status(self._settings), self._settings)) is not None:
            self._next_look = None
            self._say(sentence)


def takes(facts: Mapping[str, Any], queue: str) -> bool:
    """Tell from what a worker says whether it takes the rows of a lane, or of a run's queue in one."""
    lane, _ = lane_and_run(queue) or (queue, "")
    return lane in facts.get("queues", [facts.get("queue")])


def no_worker(answers: Answers, settings: Settings) -> str | None:
    """Say that no worker takes the rows, what to start, and which others are up; None where one does."""
    if any(takes(facts, settings.queue) for facts in answers.values()):
        return None
    others = [*_others(answers, settings)]
    up = f" Up are: {'; '.join(others[:_NAMED])}{_more(others)}." if others else ""
    demand = settings.demand_profile
    profile, of = (f", FLEET_PROFILE={demand}", f" with profile {demand}") if demand else ("", "")
    own = "" if (named := settings.image_gen_task) == "imageedit" else named
    task, does = (f", FLEET_IMAGE_GEN_TASK={own}", f" and {own}") if own else ("", "")
    return (
        f"No worker is up for {settings.model}{does}{of}; the run waits for one (celery -A worker worker, with"
        f" FLEET_DIFFUSER_MODEL_NAME={settings.diffuser_model_name}{task}{profile} and the same FLEET_BROKER_URL).{up}"
    )


def _others(answers: Answers, settings: Settings) -> Iterator[str]:
    """Name workers that are up, with what keeps them from the rows."""
    for name, facts in sorted(answers.items()):
        model, version = facts.get("model", "an unknown model"), str(facts.get("version", "unknown"))
        if model != settings.model:
            yield f"{name} for {model}"
        elif (task := facts.get("task", settings.image_gen_task)) != settings.image_gen_task:
            yield f"{name} for {task}"
        elif facts.get("draining"):
            yield f"{name}, which is being drained"
        elif takes(facts, settings.lane):
            yield f"{name} with profile {facts.get('profile', 'unknown')}"
        else:  # the contract's version is in the lane's name
            yield f"{name} of version {version}, where this is {own_version()}, with another contract"


def _more(others: list[str]) -> str:
    return f"; and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
