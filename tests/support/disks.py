"""Disks of their own, small enough to be filled."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Disk:
    """A mounted file system."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """Leave no room."""
        with (self.folder / "ballast").open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                return

    def make_room(self) -> None:
        """Take back what filled it."""
        (self.folder / "ballast").unlink()

    def set_writable(self, *, writable: bool) -> None:
        """Mount it again, read-only or not."""
        _run("mount", "-o", "remount,rw" if writable else "remount,ro", self.folder)

    def move(self, folder: Path) -> None:
        """Mount it elsewhere; where it was is nothing."""
        folder.mkdir(exist_ok=True)
        _run("mount", "--move", self.folder, folder)
        self.folder.rmdir()
        self.folder = folder


@contextmanager
def small_disk(folder: Path, size: str = "2m") -> Iterator[Disk]:
    """Mount an empty disk of this size. Without the rights for it the test is skipped, but in CI it fails."""
    folder.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    except (OSError, subprocess.CalledProcessError) as error:
        if "CI" in os.environ:
            raise
        pytest.skip(f"a disk of its own cannot be mounted here: {error}")
    disk = Disk(folder)
    try:
        yield disk
    finally:
        _run("umount", "--lazy", disk.folder)


def _run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
