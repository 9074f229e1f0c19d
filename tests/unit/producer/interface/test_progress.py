"""Showing a run to a program's user."""

import pytest

from producer.collecting.progress import Status
from producer.interface.progress import Progress, shown
from worker.contract.errors import SettingsError

HALF = Status(total=4, done=1, failed=1, waiting=2, rows_per_s=0.0)


def test_a_function_is_given_the_counts() -> None:
    """Each time they change."""
    seen: list[Status] = []
    with shown(seen.append, print)() as display:
        display(HALF)
        display.stage("waiting for the model")
    assert seen == [HALF]


@pytest.mark.parametrize("progress", ["rich", "tqdm", None])
def test_bars_take_counts(progress: Progress, capsys: pytest.CaptureFixture[str]) -> None:
    """Each of them bears counts and stages; tqdm's shows how far it is."""
    with shown(progress, print)() as display:
        display.stage("waiting for the model")
        display(HALF)
    assert ("2/4" in capsys.readouterr().err) == (progress == "tqdm")


def test_what_is_no_progress_is_refused() -> None:
    """By name."""
    with pytest.raises(SettingsError, match=r'progress is "rich", "tqdm" or a function'):
        shown("bar", print)  # type: ignore[arg-type]
