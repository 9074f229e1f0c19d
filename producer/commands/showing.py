"""A run, the fleet, and lists of runs as text for people."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from producer.collecting.alike import difference
from producer.collecting.status import View
from producer.commands.table import percent
from producer.commands.workers_table import workers_of
from worker.contract.counting import counted
from worker.contract.parameters import DEFAULT_PRIORITY

#: Causes of failures that are shown.
_CAUSES: Final = 5

#: Columns between the labels' beginning and what they tell.
_INDENT: Final = 10


def run_in_words(view: View) -> str:
    """Tell how a run is."""
    return "\n".join([*(f"{label:<{_INDENT}}{told}" for label, told in _facts(view)), *workers_of(view)])


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
    part = f"{percent(view.share.share)} of the rows that workers take"
    return f"{view.share.priority}; {part}, while {view.share.runs} runs wait for them"
