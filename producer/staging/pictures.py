"""Pictures of rows, which become files named by what is in them, so that the same picture has the same path again."""

import hashlib
import os
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from PIL import Image

from producer.staging.values import Unsayable, is_array, plain
from worker.pictures.durable import sync_folder

#: What names end in, by what files begin with; workers look at the content alone.
_SUFFIXES: Final[tuple[tuple[bytes, bytes, str], ...]] = (
    (b"\x89PNG\r\n", b"", ".png"),
    (b"\xff\xd8\xff", b"", ".jpg"),
    (b"RIFF", b"WEBP", ".webp"),
    (b"GIF8", b"", ".gif"),
    (b"II*\0", b"", ".tif"),
    (b"MM\0*", b"", ".tif"),
    (b"BM", b"", ".bmp"),
    (b"", b"avif", ".avif"),
    (b"", b"avis", ".avif"),
    (b"", b"heic", ".heic"),
    (b"", b"mif1", ".heic"),
    (b"\0\0\0\x0cjP", b"", ".jp2"),
)

#: What PNG holds without loss.
_MODES: Final = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})

#: As the workers write theirs.
_LEVEL: Final = 3


class Pictures:
    """A folder of pictures."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._changed: set[Path] = set()

    def staged(self, value: Any) -> Any:
        """Return what a row is to say of an image, or of a list of images: paths of those that are in memory.

        Paths, and what else names an image, stay as they are.

        Raises:
            Unsayable: it is none, or cannot be written without loss.
            OSError: the folder cannot be written.

        """
        if isinstance(value, list | tuple) or (is_array(value) and value.dtype == object):
            return [self.staged(one) for one in value]
        if is_array(value):
            raise Unsayable("holds an array of numpy's; make it a picture: PIL.Image.fromarray(…).")
        if isinstance(value, dict):
            return self._of_object(value)
        if isinstance(value, Image.Image):
            return self._kept(_png(value))
        if isinstance(value, bytes | bytearray | memoryview):
            return self._kept(bytes(value))
        return plain(value)

    def sync(self) -> None:
        """Make the files' names outlast a power cut.

        Raises:
            OSError: the folder cannot be written.

        """
        for folder in self._changed:
            sync_folder(folder)
        self._changed.clear()

    def _of_object(self, value: dict[str, Any]) -> Any:
        """Return a path for Hugging Face's {"bytes": …, "path": …}; whatever else it has beside these stays."""
        data, others = value.get("bytes"), value.keys() - {"bytes", "path"}
        if isinstance(data, bytes | bytearray | memoryview):
            path = self._kept(bytes(data))
            return {**plain(value | {"bytes": None}), "path": path} if others else path
        if data is None and not others and value.get("path"):
            return plain(value["path"])
        return plain(value)

    def _kept(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        # Ten million files in one folder are more than file systems like to list.
        path = self._folder / digest[:2] / f"{digest}{_suffix(data)}"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, data)
            self._changed |= {path.parent, self._folder}
        return str(path)


def _write(path: Path, data: bytes) -> None:
    """Write a file under another name, and rename it: a final name holds a whole picture, whoever writes it too."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _png(image: Image.Image) -> bytes:
    if image.mode not in _MODES:
        raise Unsayable(f"holds a picture of the mode {image.mode}, which PNG cannot; convert it: .convert('RGB').")
    file = BytesIO()
    try:
        # With its orientation: a picture that was opened lies as its file does, and workers turn it upright.
        image.save(file, "PNG", compress_level=_LEVEL, exif=image.getexif())
    except Exception as error:  # cut, closed, or whatever a decoder stumbles over: it is this row's fault
        raise Unsayable(f"holds a picture that cannot be read ({error}).") from None
    return file.getvalue()


def _suffix(data: bytes) -> str:
    return next(
        (suffix for begin, brand, suffix in _SUFFIXES if data.startswith(begin) and data.startswith(brand, 8)), ".bin"
    )
