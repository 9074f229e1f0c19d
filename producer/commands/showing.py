"""A run, the fleet, and lists of runs as text for people."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from producer.collecting.alike import difference
from producer.collecting.fleet import Answers, takes
from producer.collecting.progress import Status
from producer.collecting.status import View
from producer.commands.table import aligned
from worker.contract.counting import counted
from worker.contract.parameters import DEFAULT_PRIORITY

#: Causes of failures that are shown.
_CAUSES: Final = 5

#: Columns between the labels' beginning and what they tell.
_INDENT: Final = 10

_BUSYNESS: Final = ("rows/s", "holds", "busy", "profile", "version")


def run_in_words(view: View) -> str:
    """Tell how a run is."""
    return "\n".join([*(f"{label:<{_INDENT}}{told}" for label, told in _facts(view)), *_workers(view)])


def _facts(view: View) -> Iterator[tuple[str, str]]:
    status = view.status
    yield "run", f"{status.run} of {status.model}, in {status.folder}"
    yield "state", state_of(view)
    yield "rows", rows_in_words(view)
    if status.waiting:
        yield "rate", _rate(view)
    if (sentence := _priority(view)) is not None:
        yield "priority", sentence
    for number, cause in enumerate(view.causes[:_CAUSES]):
        yield "" if number else "failed", f"{cause.rows:,} {cause.cause} (such as row {cause.example.row})"
    if len(view.causes) > _CAUSES:
        yield "", f"and {len(view.causes) - _CAUSES} more causes: producer errors {status.folder}"
    if status.warnings:
        yield "warnings", ", ".join(f"{n:,} {kind}" for kind, n in status.warnings.items())
    if status.images:
        seconds = f"{status.gpu_seconds:,.1f} s of the model's time"
        yield "images", f"{status.images:,} in {seconds}, {status.gpu_seconds / status.images:.2f} s each"
    if status.full_batches is not None:
        yield "batches", f"{100 * status.full_batches:.0f} % of the rows rode in a full one"
    if (sentence := difference(status)) is not None:
        yield "differs", sentence
    if view.queue is not None:
        waiting = counted(view.queue.rows, "row waits", "rows wait")
        yield "queue", f"{waiting} in {view.queue.name}; workers hold {view.queue.in_hand:,}"


def state_of(view: View) -> str:
    """Say in a few words what becomes of a run."""
    status = view.status
    if status.cancelled:
        return "cancelled; the same `producer submit` takes it up again"
    if not status.waiting:
        return "every row is answered" + (", and waits to be collected" if view.uncollected else "")
    if view.owner:
        return f"at work: {view.owner}"
    if view.queue is None:
        return "stopped, and its Redis has ended with it; the same `producer run` goes on"
    return f"nobody collects it: producer collect {status.folder}"


def rows_in_words(view: View) -> str:
    """Count a run's rows by state."""
    status = view.status
    states = {
        "done": status.done,
        "failed": status.failed,
        "kept": status.kept,
        "waiting": status.waiting,
    }
    told = ", ".join(f"{n:,} {state}" for state, n in states.items() if n)
    more = [f"{status.unsent:,} of them not sent yet"] if status.unsent else []
    more += [f"{view.uncollected:,} not collected yet"] if view.uncollected else []
    percent = 100 * status.answered // max(1, status.total)
    return f"{status.total:,} ({percent} %): {', '.join([told or 'none', *more])}"


def _rate(view: View) -> str:
    if not view.status.rows_per_s:
        return "nothing was answered in the last minutes"
    left = timedelta(seconds=round(view.seconds_left or 0))
    return f"{view.status.rows_per_s:.2f} rows/s, about {left} left"


def _priority(view: View) -> str | None:
    """Say how often the run has its turn, and what that is among others; None where it is the only one, as usual."""
    if view.share is None or view.share.runs == 1:
        return None if view.priority in (None, DEFAULT_PRIORITY) else str(view.priority)
    part = f"{100 * view.share.share:.2g} % of the rows that workers take"
    return f"{view.share.priority}; {part}, while {view.share.runs} runs wait for them"


def _workers(view: View) -> Iterator[str]:
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
