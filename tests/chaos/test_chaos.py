"""The short form of what `make chaos` does: every kind of fault once."""

from pathlib import Path

import click
import pytest

from tests.chaos import rows
from tests.chaos.report import environment, table
from tests.chaos.trial import Trial
from tests.support.workers import fork_worker


def test_nothing_is_lost_and_no_picture_differs_under_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run under faults ends as the run without: every row once, every picture, and nothing left behind."""
    monkeypatch.setattr(rows, "SHAPES", ((192, 128), (128, 192)))  # a third of the work
    trial = Trial(rows=56, faults=8, parts=2, steps=4, rows_in_flight=8, start=fork_worker)
    verdict = trial.run(tmp_path, click.echo)
    click.echo("\n".join([environment(trial), "", table(verdict), "", *verdict.remarks]))  # shown where it failed
    assert not verdict.complaints, f"what tells of it is in {tmp_path}:\n" + "\n".join(verdict.complaints)
