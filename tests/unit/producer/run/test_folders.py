"""Runs are found in what was named: themselves, or folders that hold them."""

from pathlib import Path

import pytest

from producer.run.folders import require_folders, run_folders
from producer.run.ledger import LEDGER
from worker.contract.errors import RunError


def make_run(folder: Path) -> Path:
    """Make what looks like a run's folder."""
    folder.mkdir(parents=True)
    (folder / LEDGER).touch()
    return folder


def test_runs_are_found_by_name_and_in_a_folder(tmp_path: Path) -> None:
    """A folder that is no run is looked through, one level deep; what is reached twice is there once."""
    one, other = make_run(tmp_path / "runs/one"), make_run(tmp_path / "runs/other")
    alone = make_run(tmp_path / "alone")
    make_run(tmp_path / "runs/deep/down")
    (tmp_path / "runs/empty").mkdir()
    assert run_folders([alone, tmp_path / "runs", one]) == [alone, one, other]


def test_a_run_that_begins_later_is_found(tmp_path: Path) -> None:
    """Each look is a new one."""
    assert run_folders([tmp_path]) == []
    run = make_run(tmp_path / "run")
    assert run_folders([tmp_path]) == [run]


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    """A typing error is one sentence at the start, and no empty page."""
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"file is a file; name a run's folder"):
        require_folders([tmp_path, tmp_path / "file"])
    with pytest.raises(RunError, match=r"^There is no folder .*absent; name a run's folder"):
        require_folders([tmp_path / "absent"])
