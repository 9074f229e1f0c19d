"""The runs that go on at once, as the faults see them: rows by their names in the workers' logs."""

from collections.abc import Sequence

from tests.chaos.following import Following


class Runs:
    """Several runs on one fleet. Faults of a command strike the first's; it is also the one that says how far it is."""

    def __init__(self, followings: Sequence[Following]) -> None:
        self.first = followings[0]
        self._all = followings

    @property
    def answered(self) -> dict[str, float]:
        """The answered rows of all, and when each was seen first, in seconds since the epoch."""
        return {run.row(row): when for run in self._all for row, when in run.answered.items()}

    @property
    def finished(self) -> bool:
        """Whether all are."""
        return all(run.finished for run in self._all)

    def has(self, row: str) -> bool:
        """Tell whether a row is of these runs, and not of an earlier one."""
        return row.partition(".")[0] in {run.id for run in self._all}

    def look(self) -> None:
        """Look at each."""
        for run in self._all:
            run.look()
