"""Showing how far a run is: a bar on a terminal, a line now and then elsewhere, or nothing."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Final, Protocol

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from producer.collecting.progress import Status
from worker.contract.row_warnings import RowWarning

#: Seconds after which a line comes in any case, so that whoever reads a log sees that the run lives.
_LONGEST: Final = 30.0

#: Seconds and share of all rows after which one comes at the soonest.
_SHORTEST: Final = 10.0
_STEP: Final = 0.05


class Display(Protocol):
    """What shows a run to its user."""

    def __call__(self, status: Status) -> None:
        """Take note of the newest counts."""

    def stage(self, doing: str) -> None:
        """Take note of what is going on before there are counts; called again and again while it lasts."""

    def paused(self) -> AbstractContextManager[None]:
        """Show nothing meanwhile, since somebody is asked something."""


@contextmanager
def display(console: Console, say: Callable[[str], None], *, quiet: bool = False) -> Iterator[Display]:
    """Show a bar where there is a terminal, else lines, and neither where it is to be quiet."""
    if quiet:
        yield _Nothing()
    elif console.is_terminal:
        with _Bar(console) as bar:
            yield bar
    else:
        yield Lines(say)


class _Nothing:
    def __call__(self, status: Status) -> None:
        pass

    def stage(self, doing: str) -> None:
        pass

    def paused(self) -> AbstractContextManager[None]:
        return nullcontext()


class Lines:
    """Says how far a run is every half minute, or sooner where much has happened: for logs."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._said = clock()
        self._answered: int | None = None

    def __call__(self, status: Status) -> None:
        """Say it, if it is time."""
        if self._answered is None:  # where it begins, everybody knows
            self._answered = status.answered
        past = self._clock() - self._said
        news = status.answered - self._answered
        if status.waiting and (past >= _LONGEST or (past >= _SHORTEST and news >= _STEP * status.total)):
            self._answered = status.answered
            self._tell(in_words(status))

    def stage(self, doing: str) -> None:
        """Say it every half minute."""
        if self._clock() - self._said >= _LONGEST:
            self._tell(f"{doing[:1].upper()}{doing[1:]}.")

    def paused(self) -> AbstractContextManager[None]:
        """Do nothing: between two lines nothing stands."""
        return nullcontext()

    def _tell(self, sentence: str) -> None:
        self._said = self._clock()
        self._say(sentence)


def in_words(status: Status) -> str:
    """Put the counts of a run into a sentence."""
    parts = [_answered(status), ", ".join(_counts(status)), ", ".join(_speed(status)), *_left(status)]
    return f"{parts[0]}, {'; '.join(parts[1:])}."


def _answered(status: Status) -> str:
    return f"{status.answered:,} of {status.total:,} rows ({100 * status.answered // max(1, status.total)} %)"


def _counts(status: Status) -> list[str]:
    """Name what is worth knowing of the rows beside how many are answered."""
    warnings = sum(status.warnings.values()) - status.warnings.get(RowWarning.KEPT.value, 0)
    more = {"kept": status.kept, "warnings": warnings}
    return [f"{status.failed:,} failed", *(f"{n:,} {what}" for what, n in more.items() if n)]


def _speed(status: Status) -> list[str]:
    busy = [] if status.busy is None else [f"GPU {100 * status.busy:.0f} % busy"]
    return [f"{status.rows_per_s:.2f} rows/s", *busy]


def _left(status: Status) -> list[str]:
    if not (status.rows_per_s and status.waiting):
        return []
    return [f"about {timedelta(seconds=round(status.unanswered / status.rows_per_s))} left"]


class _Bar(Progress):
    """Two lines, so that the counts have their place in a window of 80 columns: how far, and what is to be said."""

    def __init__(self, console: Console) -> None:
        self._details = ""
        super().__init__(
            BarColumn(),
            TextColumn("{task.description}"),
            console=console,
            # Results go to standard output, also while the bar stands on a terminal: never into the bar's own stream.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task = self.add_task("", total=None)

    def __call__(self, status: Status) -> None:
        self._details = " · ".join([*_counts(status), *_speed(status)])
        far = ", ".join([_answered(status), *_left(status)])
        self.update(self._task, description=far, total=status.total, completed=status.answered)

    def get_renderables(self) -> Iterator[RenderableType]:
        yield from super().get_renderables()
        if self._details:
            yield Text(self._details, overflow="ellipsis", no_wrap=True)

    def stage(self, doing: str) -> None:
        self._details = doing

    @contextmanager
    def paused(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()
