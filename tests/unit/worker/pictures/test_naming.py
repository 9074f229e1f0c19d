"""What a file is that is no picture here is said by its name, whatever it is called."""

import gzip
import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.support.files import encoded, photo
from worker.contract.errors import RowError
from worker.pictures.decoding import read, size_of


def box(brand: bytes, *others: bytes) -> bytes:
    """Begin an ISO file of this brand, compatible with others."""
    return (16 + 4 * len(others)).to_bytes(4, "big") + b"ftyp" + brand + bytes(4) + b"".join(others) + bytes(99)


def zipped() -> bytes:
    """Write a zip archive."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", encoded(photo(6, 4)))
    return buffer.getvalue()


PICTURE = photo(12, 8)
FAILED = "not an image; a download that failed may have saved it"
KINDS: dict[str, tuple[bytes, str]] = {
    "git-lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "is a git-lfs pointer (run git lfs pull)",
    ),
    "jpeg xl": (b"\xff\x0a" + bytes(50), "is JPEG XL (convert it to PNG, TIFF or JPEG)"),
    "jpeg xl in a box": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "is JPEG XL (convert it to PNG, TIFF or JPEG)"),
    "svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "is SVG, which holds no pixels"),
    "svg without a head": (b"\xef\xbb\xbf  <svg/>", "is SVG, which holds no pixels (render it to PNG)"),
    "cr3": (box(b"crx ", b"isom"), "is camera raw (CR3 of Canon; develop it to TIFF, PNG or JPEG)"),
    "crw": (b"II\x1a\0\0\0HEAPCCDR" + bytes(50), "is camera raw (CRW of Canon;"),
    "raf": (b"FUJIFILMCCD-RAW 0201" + bytes(50), "is camera raw (RAF of Fujifilm;"),
    "raf with its preview": (b"FUJIFILMCCD-RAW " + bytes(90) + encoded(PICTURE, "JPEG"), "is camera raw (RAF"),
    "orf": (b"IIRO\x08\0\0\0" + bytes(50), "is camera raw (ORF of Olympus;"),
    "rw2": (b"IIU\0\x18\0\0\0" + bytes(50), "is camera raw (RW2 of Panasonic;"),
    "x3f": (b"FOVb" + bytes(50), "is camera raw (X3F of Sigma;"),
    "html": (b"\n<!DOCTYPE html><html><h1>404</h1></html>", f"is HTML, {FAILED}"),
    "old html": (b"<HTML><BODY>Not found", f"is HTML, {FAILED}"),
    "xml": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', f"is XML, {FAILED}"),
    "json": (json.dumps({"error": "not found"}).encode(), f"is JSON, {FAILED}"),
    "text": ("Zugriff verweigert – ä".encode(), f'is text, {FAILED} ("Zugriff verweigert – ä")'),
    "long text": (b"denied " * 999, f'is text, {FAILED} ("denied denied'),
    "zeros": (bytes(999), "holds nothing but zeros where an image begins"),
    "pdf": (encoded(PICTURE, "PDF"), "is PDF, not an image (render its pages, as with pdftoppm)"),
    "eps": (encoded(PICTURE, "EPS"), "is EPS or PostScript, not an image (render it)"),
    "mp4": (box(b"isom", b"avc1"), "is a video, not an image (take a frame out of it)"),
    "quicktime": (box(b"qt  "), "is a video"),
    "webm": (b"\x1aE\xdf\xa3" + bytes(50), "is a video"),
    "avi": (b"RIFF\xff\0\0\0AVI LIST" + bytes(50), "is a video"),
    "wave": (b"RIFF\xff\0\0\0WAVEfmt " + bytes(50), "is a sound file"),
    "psd": (b"8BPS\0\1" + bytes(50), "is PSD, a document of Photoshop (convert it"),
    "gzip": (gzip.compress(encoded(PICTURE)), "is gzip, an archive or a compressed file (unpack it)"),
    "zip": (zipped(), "is zip, an archive"),
    "icon": (encoded(PICTURE, "ICO"), "is a Windows icon or cursor (convert it"),
    "dicom": (bytes(128) + b"DICM" + bytes(20), "is DICOM (convert it"),
    "beside a file": (b"\0\5\x16\7" + bytes(50), "is what macOS keeps beside a file (AppleDouble)"),
    "parquet": (b"PAR1" + bytes(50), "is parquet, which is data, not an image"),
    "unknown": (bytes(range(1, 200)), "is no image in AVIF, BMP,"),
}


@pytest.mark.parametrize(("data", "reason"), KINDS.values(), ids=KINDS)
def test_what_is_no_picture_is_named(tmp_path: Path, data: bytes, reason: str) -> None:
    """Header and picture are refused with the same sentence, which says what the file is."""
    path = tmp_path / "a.png"
    path.write_bytes(data)
    for look in (read, size_of):
        with pytest.raises(RowError) as error:
            look(path)
        assert str(error.value).startswith(f"image {path}: {reason}"), error.value
        assert str(error.value).endswith(".")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "PPM"])
def test_a_picture_is_never_named(tmp_path: Path, kind: str) -> None:
    """Wherever a picture is cut off, its error says that it is broken, or no image, and never another kind."""
    whole = encoded(Image.effect_noise((24, 16), 50), kind)
    for length in range(13, len(whole) - 40, 7):
        (tmp_path / "a").write_bytes(whole[:length])
        with pytest.raises(RowError, match=r": is (broken|no image) .*\.$"):
            read(tmp_path / "a")
