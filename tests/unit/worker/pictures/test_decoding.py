"""Reading an image file: which files are opened at all, and how its EXIF and ICC profile are taken into account."""

import hashlib
import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, features
from PIL.Image import Transpose

from tests.support.files import encoded, farthest, photo, read_bytes
from worker.contract.errors import RowError
from worker.pictures.decoding import read

#: An entry of a TIFF with one short value.
SAMPLES = struct.Struct("<HHIH")


def test_a_picture_brings_its_digest(tmp_path: Path) -> None:
    """The digest is that of the file's bytes."""
    path = tmp_path / "a.png"
    path.write_bytes(encoded(photo(6, 4)))
    assert read(path).digest == hashlib.sha256(path.read_bytes()).hexdigest()


#: What a camera did to the picture, by EXIF orientation: the inverse of how a viewer must turn it.
TURNED: dict[int, Transpose | None] = {
    1: None, 2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE, 6: Transpose.ROTATE_90, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_270,
}  # fmt: skip


def exif(orientation: int, tag: int = 0x0131, kind: int = 2) -> bytes:
    """Write an EXIF block with an orientation and, before or after it, one more tag of four bytes."""
    entries = [struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0), struct.pack(">HHI4s", tag, kind, 1, b"\0\0\0\x1a")]
    return b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 2) + b"".join(sorted(entries)) + bytes(4)


CARRIERS: dict[str, tuple[str, dict[str, object]]] = {
    "png": ("PNG", {}),
    "webp": ("WEBP", {"lossless": True}),
    "raw tiff": ("TIFF", {}),
    "compressed tiff": ("TIFF", {"compression": "tiff_lzw"}),
} | ({"avif": ("AVIF", {"quality": 100, "subsampling": "4:4:4"})} if features.check("avif") else {})


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_picture_arrives_upright(tmp_path: Path, carrier: str, orientation: int) -> None:
    """A picture that was stored turned or mirrored arrives as its EXIF says, in every format that has one."""
    upright, turn, (kind, options) = photo(64, 48), TURNED[orientation], CARRIERS[carrier]
    stored = upright if turn is None else upright.transpose(turn)
    got = read_bytes(tmp_path, encoded(stored, kind, exif=exif(orientation), **options))
    assert farthest(got, upright) <= (3 if kind == "AVIF" else 0)


@pytest.mark.parametrize(
    ("tag", "kind"),
    [(0x0100, 2), (0x010F, 12), (0x011A, 7), (0x014A, 1)],
    ids=["text as width", "double as maker", "bytes as resolution", "bytes as sub-picture"],
)
def test_a_malformed_tag_does_not_spoil_a_picture(tmp_path: Path, tag: int, kind: int) -> None:
    """A whole picture with a malformed EXIF tag beside its orientation arrives, and upright."""
    stored = encoded(photo(6, 4), "JPEG", exif=exif(6, tag, kind))
    assert read_bytes(tmp_path, stored).size == (4, 6)


@pytest.mark.parametrize("block", [b"Exif\0\0no EXIF", b"Exif\0\0MM\0*\0\0\0\x08\0\x09", b"Exif\0\0", exif(9), exif(0)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_malformed_exif_does_not_spoil_a_picture(tmp_path: Path, kind: str, block: bytes) -> None:
    """A whole picture whose EXIF says nothing that can be understood arrives as it was stored."""
    assert read_bytes(tmp_path, encoded(photo(6, 4), kind, exif=block)).size == (6, 4)


@pytest.fixture
def _as_anyone() -> Iterator[None]:
    """Give up the superuser's rights, to whom every file is readable."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # nobody
    yield
    os.seteuid(user)


def sparse(path: Path) -> None:
    """Make a file of a terabyte that takes up no room."""
    path.touch()
    os.truncate(path, 10**12)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda _: None, "no such file"),
        (Path.mkdir, "is a folder, not a file"),
        (os.mkfifo, "is a device, a FIFO or a socket, not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device, a FIFO or a socket, not a file"),
        (lambda path: path.symlink_to(path), r"cannot be read \(Too many levels of symbolic links\)"),
        (sparse, r"is too large \(10{12} bytes; at most \d+ are read\)"),
    ],
    ids=["missing", "folder", "fifo", "device", "loop", "terabyte"],
)
def test_what_is_no_ordinary_file_is_refused(tmp_path: Path, make: Callable[[Path], object], reason: str) -> None:
    """What is no file, or one that is too large to be a picture, is refused before anything is read from it."""
    path = tmp_path / "a.png"
    make(path)
    with pytest.raises(RowError, match=rf"^image {path}: {reason}\.$"):
        read(path)


def test_an_unreadable_file_is_refused(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A file that may not be read is refused with the system's reason."""
    path = tmp_path / "a.png"
    path.touch(mode=0)
    request.getfixturevalue("_as_anyone")
    with pytest.raises(RowError, match=rf"^image {path}: cannot be read \(Permission denied\)\.$"):
        read(path)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a\nb", r"a\nb"), ("a\u2028b\x1b", r"a\u2028b\x1b"), ("\udcff", r"\udcff"), ("a\0b", r"a\x00b"), ("ä b", "ä b")],
)
def test_an_odd_path_does_not_break_the_sentence(name: str, shown: str) -> None:
    """Whatever a path consists of, the error is one line that can be printed."""
    with pytest.raises(RowError, match=rf"^image /absent/{re.escape(shown)}: (no such file|cannot be read \(.*\))\.$"):
        read(Path("/absent") / name)


def test_a_long_path_is_shown_in_part() -> None:
    """A path of a megabyte makes no error of a megabyte."""
    with pytest.raises(RowError, match=r"^image /absent/a+…a+b: cannot be read \(File name too long\)\.$") as error:
        read(Path("/absent") / ("a" * 10**6 + "b"))
    assert len(str(error.value)) < 400


def test_the_limit_is_exact(tmp_path: Path) -> None:
    """A picture of just the limit's pixels is read, and one of more is not."""
    (tmp_path / "a.png").write_bytes(encoded(photo(10, 11)))
    assert read(tmp_path / "a.png", max_pixels=110).image.size == (10, 11)
    with pytest.raises(RowError, match=r": has more than 109 pixels \(10x11\)\.$"):
        read(tmp_path / "a.png", max_pixels=109)


def test_the_limit_can_be_above_that_of_pillow(tmp_path: Path) -> None:
    """A picture of 196 million pixels, which Pillow refuses by itself, is decoded where the limit allows it."""
    (tmp_path / "a.png").write_bytes(encoded(Image.new("1", (14_000, 14_000)))[:999])
    with pytest.raises(RowError, match=": is broken"):
        read(tmp_path / "a.png", max_pixels=200_000_000)
    with pytest.raises(RowError, match=r": has more than 100000000 pixels \(14000x14000\)"):
        read(tmp_path / "a.png")


#: Reads files with no more than 256 MiB on top of what the process has already; prints a line for each.
SCRIPT = """
import resource, sys
from pathlib import Path
from worker.pictures.decoding import read
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
for name in sys.argv[1:]:
    try:
        print(read(Path(name)).image.size)
    except Exception as error:
        print(type(error).__name__)
"""
#: 43 bytes: a frame of 65535 x 65535 pixels that is to be cleared, for which Pillow makes room when it opens the file.
CLEARED = b"GIF89a\x08\0\x08\0\x80\0\0" + bytes(6) + b"!\xf9\4\x08\0\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\2\2L\1\0;"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep to the limit")
@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (CLEARED, "RowError"),
        (encoded(Image.new("1", (9_900, 9_900))), "RowError"),
        (encoded(photo(6, 4), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09"), "(6, 4)"),
        (encoded(photo(6, 4), "TIFF").replace(SAMPLES.pack(277, 3, 1, 3), SAMPLES.pack(277, 3, 1, 99)), "RowError"),
        (encoded(Image.new("1", (10_001, 10_000)))[:999], "RowError"),
    ],
    ids=["bomb", "little memory", "exif", "samples", "large"],
)
def test_a_worker_survives_a_file_and_logs_nothing(tmp_path: Path, data: bytes, outcome: str) -> None:
    """A file takes no more memory than is there, and leaves nothing in the log: what matters is in its row's error."""
    (tmp_path / "picture").write_bytes(data)
    command = [sys.executable, "-c", SCRIPT, tmp_path / "picture"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{outcome}\n", "")
