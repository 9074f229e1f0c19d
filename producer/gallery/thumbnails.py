"""Small pictures for the page: made once, named by what they show, in the run's own folder."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final
from uuid import uuid4

from PIL import Image

from producer.gallery.page import remove_old
from worker.contract.errors import RowError
from worker.pictures.confine import Limits
from worker.pictures.decoding import read
from worker.pictures.fitting import stitch
from worker.pictures.sources import source_of

#: Folder of the small pictures, in that of the page; in it 256 folders.
SMALL: Final = "small"

#: Longest side in pixels. An input is shown in large from its small picture; of a result the page has the file itself.
BEFORE_SIDE, AFTER_SIDE = 768, 512

#: Of JPEG: about 60 kB an input, 30 kB a result.
_QUALITY: Final = 82


class Thumbnails:
    """The small pictures of one page. Its methods may be called by several threads."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        """`folder` is the page's; pictures out of `limits` are not opened."""
        self._folder = folder
        self._limits = limits

    def before(self, images: tuple[str, ...], digests: tuple[str, ...]) -> str | None:
        """Return the small picture of what a row is made from; `digests` tell apart what a file once held."""
        return self._small(("before", *images, *digests), lambda: self._stitched(images), BEFORE_SIDE)

    def after(self, path: str, *made_by: str) -> str | None:
        """Return the small picture of a result; what has `made_by` in common is the same picture."""
        return self._small(("after", *made_by), lambda: self._read(path), AFTER_SIDE)

    def found(self, path: Path) -> str | None:
        """Return the small picture of a file that somebody else may change, and that the page has in no other size."""
        try:
            facts = path.stat()
        except (OSError, ValueError):
            return None
        named = (str(path), str(facts.st_mtime_ns), str(facts.st_size))
        return self._small(("found", *named), lambda: self._read(str(path)), BEFORE_SIDE)

    def drop_others(self, used: Iterable[str]) -> None:
        """Remove those that are not `used`, named as they were returned, and what a killed command has left."""
        remove_old((self._folder / SMALL).glob("*/*"), {name.rpartition("/")[2] for name in used})

    def _small(self, named: Iterable[str], picture: Callable[[], Image.Image], side: int) -> str | None:
        digest = hashlib.sha256("\0".join(named).encode("utf-8", "surrogatepass")).hexdigest()[:24]
        name = f"{SMALL}/{digest[:2]}/{digest}.jpg"
        path = self._folder / name
        if not _is_there(path):
            try:
                small = picture()
            except RowError:  # the row says what is wrong with it, or the page that there is none
                return None
            small.thumbnail((side, side))
            _write(path, small)
        return name

    def _stitched(self, images: tuple[str, ...]) -> Image.Image:
        return stitch([self._read(image) for image in images], max_pixels=self._limits.max_pixels)

    def _read(self, image: str) -> Image.Image:
        """Decode a picture as a worker does: upright, in sRGB, on white."""
        return read(source_of(image, self._limits), max_pixels=self._limits.max_pixels).image


def _is_there(path: Path) -> bool:
    try:
        return path.stat().st_size > 0  # of a file whose machine died there may be no more than its name
    except FileNotFoundError:
        return False


def _write(path: Path, small: Image.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid4().hex}")
    try:
        # No sync: the pictures themselves are elsewhere, and these can be made again.
        small.save(temporary, "JPEG", quality=_QUALITY)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
