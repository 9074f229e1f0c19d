"""The Python that workers on this machine run in."""

import stat
import sys
from pathlib import Path

import pytest

from producer.local.interpreter import require_worker_extra, worker_python
from tests.support.place import PROJECT
from worker.contract.errors import RunError
from worker.settings.fleet import load_settings

MONITOR = PROJECT / ".venv-monitor/bin/python"


def program(path: Path, script: str) -> Path:
    """Make a program of a shell's script."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_it_is_this_one_unless_another_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path begins where the command runs, and a link is not followed, which would leave its environment."""
    assert worker_python(load_settings()) == sys.executable
    require_worker_extra(load_settings())
    (tmp_path / "python").symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    assert worker_python(load_settings(worker_python="./python")) == str(tmp_path / "python")


def test_one_that_has_everything_is_taken() -> None:
    """By its name, too, the Python that runs has what workers need."""
    require_worker_extra(load_settings(worker_python=sys.executable))


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (f'exec {MONITOR} "$@"', "torch is not installed for {path}; install the project there with its worker extra"),
        ("exit 1", "{path} cannot run workers (no word)."),
        ("echo no such library >&2; exit 1", "{path} cannot run workers (no such library)."),
        ("echo hello", "{path} is no Python that runs ("),
        ("echo '[[], null]'", "this project is not installed for {path}; install it there"),
        ("echo '[[], 5]'", "{path} has another version of this project, which does not understand this one's rows"),
    ],
)
def test_one_that_lacks_something_is_refused(tmp_path: Path, script: str, sentence: str) -> None:
    """One sentence says what is wrong with the other Python."""
    path = program(tmp_path / "python", script)
    with pytest.raises(RunError) as raised:
        require_worker_extra(load_settings(worker_python=str(path)))
    assert str(raised.value).startswith(f"FLEET_WORKER_PYTHON: {sentence.format(path=path)}")


@pytest.mark.parametrize("name", ["absent", "notes.txt"])
def test_what_is_no_program_is_refused(tmp_path: Path, name: str) -> None:
    """A file that cannot be run is as bad as none."""
    (tmp_path / "notes.txt").write_text("python")
    with pytest.raises(RunError, match=rf"^FLEET_WORKER_PYTHON: {tmp_path / name} is no program; name bin/python of"):
        worker_python(load_settings(worker_python=str(tmp_path / name)))
