"""A run folder has one owner at a time, and a dead one owns nothing."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from producer.run.lock import locked
from worker.contract.errors import RunError

_HOLD = """
import pathlib, sys
from producer.run.lock import locked
with locked(pathlib.Path(sys.argv[1]), "producer submit"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run another process that owns the folder until its standard input ends."""
    command = [sys.executable, "-c", _HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def test_a_second_owner_is_refused(tmp_path: Path) -> None:
    """Whoever comes second is told the command and the process that own the folder."""
    with holder(tmp_path) as first:
        with pytest.raises(RunError, match=rf"{tmp_path} is in use by `producer submit`, process {first.pid} on "):
            locked(tmp_path, "collect").__enter__()
        # The first one's name is still there for a third.
        with pytest.raises(RunError, match=f"process {first.pid} "):
            locked(tmp_path, "collect").__enter__()


def test_the_folder_is_free_after_its_owner(tmp_path: Path) -> None:
    """When the owner has ended in order, the next one may begin."""
    with holder(tmp_path):
        pass
    with locked(tmp_path, "collect"):
        pass
    with locked(tmp_path, "collect"):
        pass


def test_a_killed_owner_owns_nothing(tmp_path: Path) -> None:
    """A lock whose process was killed does not stand in anybody's way."""
    with holder(tmp_path) as first:
        first.kill()
        first.wait()
        with locked(tmp_path, "collect"):
            pass


def test_an_owner_is_waited_for_as_long_as_it_lives(tmp_path: Path) -> None:
    """Whoever waits is told who owns the folder, may give up, and has it as soon as its owner was killed."""
    told: list[str] = []

    def wait(owner: str) -> None:
        told.append(owner)
        if len(told) == 1:
            raise LookupError("no more patience")
        first.kill()
        first.wait()

    with holder(tmp_path) as first:
        with pytest.raises(LookupError):
            locked(tmp_path, "collect", wait=wait).__enter__()
        with locked(tmp_path, "collect", wait=wait):
            pass
        assert told[0].startswith(f"`producer submit`, process {first.pid} on ")


def test_an_error_frees_the_folder(tmp_path: Path) -> None:
    """An owner that fails gives the folder up."""
    with pytest.raises(ValueError, match="mine"), locked(tmp_path, "collect"):
        raise ValueError("mine")
    with locked(tmp_path, "collect"):
        pass
