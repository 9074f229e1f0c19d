"""A folder for a run's pictures, which producer and workers share: written under another name, synced, renamed."""

import os
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

from PIL import Image

from worker.contract.errors import RowError, TransientError
from worker.pictures.confine import confined
from worker.pictures.durable import sync_folder
from worker.pictures.encoding import fingerprint_of
from worker.pictures.places.place import Picture, is_picture, is_temporary
from worker.pictures.transient_errors import may_pass


class Folder:
    """The run folder."""

    def __init__(self, path: Path, *, root: Path | str | None = None) -> None:
        """`root`: the folder that everything must lie in; None where there is none."""
        self.abreast = os.cpu_count() or 1
        self._path = path
        self._root = root

    def name(self, path: str) -> str:
        """Return the absolute path of a picture."""
        return str(self._path / path)

    def write(self, folder: str, pictures: Iterable[Picture], *, fingerprint: str, confirm: Callable[[], None]) -> None:
        """Write a row's images, and drop those of its older forms.

        Each is written under a temporary name, synced, and renamed. `confirm` is called between.

        Raises:
            RowError: the folder cannot be written, or lies out of the root.
            TransientError: it cannot be written now: the disk is full, read-only, or not there.

        """
        del fingerprint  # which each carries in itself
        below = self._path / folder
        confined(below, self._root, "FLEET_OUTPUT_ROOT")
        try:
            with ExitStack() as temporaries:
                if not below.is_dir():
                    self._make(below)
                written = [
                    (_write(self._path / path, encode, temporaries), self._path / path) for path, encode in pictures
                ]
                confirm()
                for temporary, final in written:
                    temporary.rename(final)
                _drop_others(below, keep={final.name for _, final in written})
                sync_folder(below)
        except OSError as error:
            raise self._unwritable(below, error) from None

    def is_whole(self, path: str, fingerprint: str) -> bool:
        """Tell whether a picture is there, made for the request of this fingerprint, and decodable to its end."""
        try:
            with Image.open(self._path / path) as image:
                if fingerprint_of(image) != fingerprint:
                    return False
                image.load()  # a truncated file does not count
                return True
        # Whatever a damaged file makes its decoder stumble over, it is no whole picture, and is made again.
        except Exception:
            return False

    def flaw(self, path: str, fingerprint: str, *, fast: bool) -> str | None:
        """Say what is wrong with a picture; it is decoded to its end, unless it shall be `fast`."""
        try:
            size = (self._path / path).stat().st_size
        except FileNotFoundError:
            return "is gone"
        if not size:
            return "is empty"
        return None if fast or self.is_whole(path, fingerprint) else "is damaged, or another row's"

    def drop(self, paths: Iterable[str]) -> None:
        """Remove pictures; one that stays is written over, if it is not the row's by then."""
        for path in paths:
            with suppress(OSError):
                (self._path / path).unlink(missing_ok=True)

    def drop_temporaries(self, folder: str) -> None:
        """Remove temporary files that workers which died have left."""
        with suppress(OSError):  # no folder, no temporaries; and one that is left is no reason to fail
            _drop_others(self._path / folder, keep=(), images=False)

    def _make(self, folder: Path) -> None:
        """Make a row's folder and, where it lies in one, its shard; the run folder itself is never made."""
        if (shard := folder.parent) != self._path:
            shard.mkdir(exist_ok=True)
            # Also where another worker has just made it: its own look to the disk may still be to come.
            sync_folder(self._path)
        folder.mkdir(exist_ok=True)
        sync_folder(shard)

    def _unwritable(self, folder: Path, error: OSError) -> RowError:
        if not self._path.is_dir():
            # Never made here: pictures in a folder of the same name on another machine would be lost to the user.
            return TransientError(
                f"run folder {self._path}: is not on the worker's machine; producer and workers must share it."
            )
        kind = TransientError if may_pass(error, writing=True) else RowError
        return kind(f"output folder {folder}: cannot be written ({error.strerror or error}).")


def _drop_others(folder: Path, *, keep: Collection[str], images: bool = True) -> None:
    """Drop temporaries of workers that died, and the images of a form of the row that had more, or another format."""
    for path in folder.iterdir():
        name, sample = path.name, folder.name
        if name not in keep and (is_temporary(name, sample) or (images and is_picture(name, sample))):
            path.unlink(missing_ok=True)


def _write(path: Path, encoder: Callable[[IO[bytes]], None], temporaries: ExitStack) -> Path:
    """Write an image under a temporary name; return it. What is still there when `temporaries` closes is removed."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    temporaries.callback(temporary.unlink, missing_ok=True)
    with temporary.open("xb") as file:
        encoder(file)
        file.flush()
        os.fsync(file.fileno())
    return temporary
