"""A plan in words."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from producer.sending.plan import Plan
from worker.contract.counting import counted


def in_words(found: Plan) -> str:
    """Put a plan into one sentence."""
    to_do = _each({
        "new": found.new,
        "that failed before": found.failed,
        "that are not done yet": found.unsent,
        "whose lines have changed": found.changed,
        f"finished ones again, because {listed(found.because)}": found.lost,
    })  # fmt: skip
    left = _each({
        "finished": found.finished,
        "on their way": found.on_their_way,
        "kept": found.kept,
        "that cannot be edited": found.bad,
    })  # fmt: skip
    edits = f"{counted(found.to_edit, 'row')} to edit ({to_do})" if found.to_edit else "nothing to edit"
    rest = f"; left alone: {left}" if left else ""
    time = "" if found.gpu_seconds is None else f"; about {timedelta(seconds=round(found.gpu_seconds))} on one GPU"
    return f"Plan: {edits}{rest}{time}."


def would_be_lost(found: Plan, *, redo: str, another: str) -> str:
    """Say which finished rows a plan would edit again, and that nothing was changed.

    `redo`, `another`: how one says that it is meant, and how another folder is named.
    """
    return (
        f"{counted(found.lost, 'row that is', 'rows that are')} finished would be edited again, because"
        f" {listed(found.because)}; nothing was changed. Say {redo} to do so, or take the option back, or name another"
        f" folder with {another}."
    )


def listed(parts: Sequence[str]) -> str:
    """List parts of a sentence."""
    return " and ".join([*([", ".join(parts[:-1])] if parts[1:] else []), *parts[-1:]])


def _each(rows: Mapping[str, int]) -> str:
    return listed([f"{n:,} {what}" for what, n in rows.items() if n])
