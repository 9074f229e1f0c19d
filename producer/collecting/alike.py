"""Whether all rows of a run were calculated alike, and what is said where they were not."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from producer.collecting.progress import Reporter, Status
from producer.run.calculations import Calculation
from worker.contract.counting import counted

#: Workers that the sentence names.
_NAMED: Final = 3


class Alike:
    """Passes a run's counts on, and says once, at the first row that differs, that pictures of the run may, too."""

    def __init__(self, report: Reporter, say: Callable[[str], None]) -> None:
        self._report = report
        self._say = say
        self._is_said = False

    def __call__(self, status: Status) -> None:
        """Take note of the newest counts."""
        self._report(status)
        if not self._is_said and (sentence := difference(status)) is not None:
            self._is_said = True
            self._say(sentence)


def difference(status: Status) -> str | None:
    """Say in one sentence how rows differ in how they were calculated; None where they do not."""
    if len(status.calculations) < 2:  # noqa: PLR2004 - two differ
        return None
    own, *others = status.calculations
    told = ", ".join(f"{other['rows']} with {in_words(other, own)} ({_by(other['workers'])})" for other in others)
    ours = f"{counted(own['rows'], 'row')} with {in_words(own, others[0])}"
    return (
        f"Workers calculate differently, and pictures of this run may differ with them: {ours}, {told}."
        " Start them alike; `producer redo` makes rows again."
    )


def in_words(made: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Name how rows were calculated, as far as it differs from how others were."""
    mine, theirs = (Calculation(one["profile"], one["weights"], one["contract"]) for one in (made, other))
    differs = [f"{name} {value}" for name, value in mine._asdict().items() if value != getattr(theirs, name)]
    return ", ".join(differs) or str(mine)


def _by(workers: Sequence[str]) -> str:
    more = f", … and {len(workers) - _NAMED} more" if len(workers) > _NAMED else ""
    return f"{', '.join(workers[:_NAMED])}{more}"
