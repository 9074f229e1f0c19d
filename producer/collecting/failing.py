"""Rows that fail and fail: how many may, and when somebody is told, or asked, whether the run is to go on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Self

from producer.collecting.causes import Cause, Failure, Tally
from worker.contract.counting import counted
from worker.contract.errors import RunError, one_line
from worker.contract.messages import Outcome

#: Rows that fail in a row, of one cause, after which the run is probably not what its owner meant.
_IN_A_ROW: Final = 100

#: Most characters of a cause.
_LONGEST: Final = 200


@dataclass(frozen=True)
class Most:
    """How many rows may fail: a number, or a share of all."""

    text: str
    number: float
    is_share: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "20", or "2.5%".

        Raises:
            ValueError: it is neither; the text says what is expected.

        """
        is_share = text.endswith("%")
        try:
            number = float(text.removesuffix("%")) if is_share else int(text)
        except ValueError:
            number = -1
        if not 0 <= number <= (100 if is_share else number):
            raise ValueError(f"takes a number of rows, as 20, or a share of all, as 5%; found {text!r}")
        return cls(text, number, is_share)

    def of(self, total: int) -> int:
        """Return how many rows of so many that are."""
        return int(total * self.number / 100) if self.is_share else int(self.number)


class TooManyFailed(RunError):  # noqa: N818 - like Unwanted: what has happened
    """More rows have failed than may, or somebody was asked and has ended the run."""


class Failing:
    """Counts the rows that fail while one command is at work, and ends it where they are too many."""

    def __init__(
        self, most: Most | None = None, goes_on: Callable[[str], bool] = lambda _: True, *, named: str = "--max-failed"
    ) -> None:
        """`goes_on` is told, once per cause, that a hundred rows in a row have failed of it, and may end the run.

        `named`: how the user says `most`.
        """
        self._most = most
        self._named = named
        self._goes_on = goes_on
        self._tally = Tally()
        self._streak: Cause | None = None
        self._alarms: list[Cause] = []
        self._told: set[str] = set()

    def known(self, failures: Iterable[Failure]) -> None:
        """Count rows that fail without a worker: they cost little, however many of them stand in a row."""
        for failure in failures:
            self._tally.add(failure)

    def answered(self, outcomes: Iterable[Outcome]) -> None:
        """Count rows in the order in which they were collected."""
        for outcome in outcomes:
            if outcome.status == "done":
                self._streak = None
                continue
            failure = Failure(outcome.row, str(outcome.error))
            self._tally.add(failure)
            cause = failure.cause
            if self._streak is None or self._streak.cause != cause:
                self._streak = Cause(cause, 0, failure)
            self._streak = self._streak._replace(rows=self._streak.rows + 1)
            if self._streak.rows >= _IN_A_ROW and cause not in self._told:
                self._told.add(cause)
                self._alarms.append(self._streak)

    def check(self, total: int) -> None:
        """Make sure that the run, which has so many rows, is to go on.

        Raises:
            TooManyFailed: it is not.

        """
        if self._most is not None and self._tally.rows > self._most.of(total):
            (cause, *others), failed = self._tally.ranked(), _failed(self._tally.rows)
            alike = f"{cause.rows} of them alike, as" if others else "such as"
            example = one_line(cause.example.error, _LONGEST)
            allowed = f"more than {self._named} {self._most.text} allows"
            raise TooManyFailed(f"{failed}, {allowed}, {alike} row {cause.example.row}: {example}")
        while self._alarms:
            alarm = self._alarms.pop(0)
            told = f"{_failed(alarm.rows)} one after the other, all alike: {one_line(alarm.cause, _LONGEST)}"
            if not self._goes_on(f"{told} (such as row {alarm.example.row})."):
                raise TooManyFailed(f"{told}.")


def _failed(rows: int) -> str:
    return f"{counted(rows, 'row has', 'rows have')} failed"
