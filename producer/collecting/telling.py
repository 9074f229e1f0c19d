"""How far a run is, in words: for a bar of a terminal as for a line of a log."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from producer.collecting.progress import Status
from worker.contract.counting import counted
from worker.contract.row_warnings import RowWarning

#: Seconds without an answer that are worth a word; a batch may take one minute.
_QUIET: Final = 120.0


class Telling:
    """Puts the counts of one command into words; it knows how long they have been what they are."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since = clock()
        self._answered: int | None = None
        self._has_news = False

    def seen(self, status: Status) -> None:
        """Take note of the newest counts."""
        if self._answered != status.answered:
            self._has_news = self._answered is not None
            self._answered, self._since = status.answered, self._clock()

    def speed(self, status: Status) -> list[str]:
        """Say how fast the run goes, and how busy its workers are; or why that is not known."""
        quiet = self._clock() - self._since
        if status.waiting and quiet >= _QUIET:
            return [f"no answer for {timedelta(seconds=round(quiet))}"]
        if status.rows_per_s:
            busy = [] if status.busy is None else [f"{100 * status.busy:.0f} % busy"]
            return [f"{status.rows_per_s:.2f} rows/s", *busy]
        if self._has_news or not status.waiting:
            return []
        sent = status.waiting - status.unsent
        return [f"{sent:,} on their way"] if sent else []

    def sentence(self, status: Status) -> str:
        """Say everything in a sentence."""
        parts = [", ".join([answered(status), *counts(status)]), ", ".join(self.speed(status)), *left(status)]
        return f"{'; '.join(filter(None, parts))}."


def answered(status: Status) -> str:
    """Say of how many rows it is known what becomes of them."""
    return f"{status.answered:,} of {counted(status.total, 'row')} ({100 * status.answered // max(1, status.total)} %)"


def counts(status: Status) -> list[str]:
    """Name what is worth knowing of the rows beside how many are answered."""
    warnings = sum(status.warnings.values()) - status.warnings.get(RowWarning.KEPT.value, 0)
    kept = [f"{status.kept:,} kept"] if status.kept else []
    return [f"{status.failed:,} failed", *kept, *([counted(warnings, "warning")] if warnings else [])]


def left(status: Status) -> list[str]:
    """Say how long the rest takes, where that is known."""
    if not (status.rows_per_s and status.waiting):
        return []
    return [f"about {timedelta(seconds=round(status.unanswered / status.rows_per_s))} left"]
