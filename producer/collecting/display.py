"""Showing how far a run is: a bar on a terminal, a line now and then elsewhere, or nothing."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final, Protocol

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from producer.collecting.progress import Status
from producer.collecting.telling import Telling, answered, counts, left

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
def display(
    console: Console, say: Callable[[str], None], *, quiet: bool = False, passing: bool = False
) -> Iterator[Display]:
    """Show a bar where there is a terminal, else lines, and neither where it is to be quiet.

    `passing`: the bar goes when it is over, since what comes of it is said in words.
    """
    if quiet:
        yield _Nothing()
    elif console.is_terminal:
        with _Bar(console, passing=passing) as bar:
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
        self._telling = Telling(clock)
        self._said = clock()
        self._answered: int | None = None

    def __call__(self, status: Status) -> None:
        """Say it, if it is time."""
        self._telling.seen(status)
        if self._answered is None:  # where it begins, everybody knows
            self._answered = status.answered
        past = self._clock() - self._said
        news = status.answered - self._answered
        if status.waiting and (past >= _LONGEST or (past >= _SHORTEST and news >= _STEP * status.total)):
            self._answered = status.answered
            self._tell(self._telling.sentence(status))

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


class _Bar(Progress):
    """Two lines, so that the counts have their place in a window of 80 columns: how far, and what is to be said."""

    def __init__(self, console: Console, *, passing: bool) -> None:
        self._details = ""
        self._telling = Telling(time.monotonic)
        super().__init__(
            BarColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=passing,
            # Results go to standard output, also while the bar stands on a terminal: never into the bar's own stream.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task = self.add_task("", total=None)

    def __call__(self, status: Status) -> None:
        self._telling.seen(status)
        self._details = " · ".join([*counts(status), *self._telling.speed(status)])
        far = ", ".join([answered(status), *left(status)])
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
