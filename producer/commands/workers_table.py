"""Workers as tables for people: those of a run, and the whole fleet."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from producer.collecting.fleet import Answers, takes
from producer.collecting.progress import Status
from producer.collecting.status import View
from producer.commands.table import aligned

_BUSYNESS: Final = ("rows/s", "holds", "busy", "profile", "version")


def workers_of(view: View) -> Iterator[str]:
    """Make a table of the workers that take the run's rows, or took some."""
    status, fleet = view.status, view.fleet or {}
    ours = {name: facts for name, facts in fleet.items() if view.queue and _is_at_work(facts, view.queue.name, status)}
    lines = [
        [
            name,
            f"{status.workers.get(name, 0):,}",
            *_busyness(ours.get(name, {})),
            "" if view.fleet is None else _state_of_worker(ours.get(name)),
            _ago(view.now, status.answered_at.get(name)),
        ]
        for name in sorted({*ours, *status.workers})
    ]
    if lines:
        yield from ["", *aligned([["worker", "rows", *_BUSYNESS, "", "last answer"], *lines])]
    if view.no_worker is not None:
        yield f"\n{view.no_worker}"
    elif others := [f"{name} ({facts.get('model')})" for name, facts in sorted(fleet.items()) if name not in ours]:
        yield f"Up for other rows: {', '.join(others)}"


def _is_at_work(facts: Mapping[str, Any], queue: str, status: Status) -> bool:
    # One that drains takes no rows of any queue any more, and has some in hand.
    return takes(facts, queue) or bool(facts.get("draining") and facts.get("model") == status.model)


def _state_of_worker(facts: Mapping[str, Any] | None) -> str:
    return "no answer" if facts is None else _draining(facts) or "up"


def _draining(facts: Mapping[str, Any]) -> str:
    return "drains" if facts.get("draining") else ""


def _busyness(facts: Mapping[str, Any]) -> list[str]:
    """Tell how busy a worker is, and how it calculates, as far as one of its version says it."""
    return [
        f"{facts['rows_per_s']:.2f}" if "rows_per_s" in facts else "",
        str(facts.get("rows_in_hand", "")),
        f"{100 * facts['busy']:.0f} %" if "busy" in facts else "",
        str(facts.get("profile", "")),
        str(facts.get("version", "")),
    ]


def fleet_in_words(answers: Answers) -> str:
    """Make a table of the workers that are up."""
    if not answers:
        return "No worker is up."
    lines = [
        [name, str(facts.get("model", "")), str(facts.get("rows", "")), *_busyness(facts), _draining(facts)]
        for name, facts in sorted(answers.items())
    ]
    return "\n".join(aligned([["worker", "model", "rows", *_BUSYNESS, ""], *lines]))


def _ago(now: float | None, at: float | None) -> str:
    if now is None or at is None:
        return ""
    return f"{timedelta(seconds=max(0, round(now - at)))} ago"
