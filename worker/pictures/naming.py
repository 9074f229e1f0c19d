"""What a file is that no decoder here takes, by its first bytes: said in its row's error, with what to do about it."""

import re
from typing import Final

from worker.contract.errors import one_line

#: Bytes of a file that are looked at.
HEAD: Final = 4096

#: Most characters of a text that are shown.
_SHOWN: Final = 60

_VIDEO: Final = "is a video, not an image (take a frame out of it)"
_SOUND: Final = "is a sound file, not an image"
_ARCHIVE: Final = "is {}, an archive or a compressed file (unpack it)"
#: A file that is none before it is developed, by the name of its kind.
CAMERA_RAW: Final = "is camera raw ({}; develop it to TIFF, PNG or JPEG)"
_OTHER: Final = "is {} (convert it to PNG, TIFF or JPEG)"
_DATA: Final = "is {}, which is data, not an image"

#: Kinds of file by their first bytes, or by those from a place on.
_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\xff\x0a", _OTHER.format("JPEG XL")),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", _OTHER.format("JPEG XL")),
    (0, b"FUJIFILMCCD-RAW", CAMERA_RAW.format("RAF of Fujifilm")),
    *((0, mark, CAMERA_RAW.format("ORF of Olympus")) for mark in (b"IIRO", b"IIRS", b"MMOR")),
    (0, b"IIU\0", CAMERA_RAW.format("RW2 of Panasonic")),
    (0, b"FOVb", CAMERA_RAW.format("X3F of Sigma")),
    (0, b"\0MRM", CAMERA_RAW.format("MRW of Minolta")),
    (6, b"HEAPCCDR", CAMERA_RAW.format("CRW of Canon")),
    (4, b"ftypcrx ", CAMERA_RAW.format("CR3 of Canon")),
    (0, b"%PDF-", "is PDF, not an image (render its pages, as with pdftoppm)"),
    *((0, mark, "is EPS or PostScript, not an image (render it)") for mark in (b"%!PS", b"\xc5\xd0\xd3\xc6")),
    (0, b"8BPS", _OTHER.format("PSD, a document of Photoshop")),
    (0, b"gimp xcf", _OTHER.format("XCF, a document of GIMP")),
    *((0, b"\0\0" + kind + b"\0", _OTHER.format("a Windows icon or cursor")) for kind in (b"\1", b"\2")),
    (0, b"icns", _OTHER.format("a macOS icon")),
    (0, b"\0\5\x16\7", "is what macOS keeps beside a file (AppleDouble); the image is the file without ._ in its name"),
    (0, b"v/1\1", _OTHER.format("OpenEXR")),
    (0, b"#?R", _OTHER.format("Radiance HDR")),
    (0, b"SIMPLE  =", _OTHER.format("FITS")),
    (128, b"DICM", _OTHER.format("DICOM")),
    (0, b"DDS ", _OTHER.format("DDS")),
    (0, b"qoif", _OTHER.format("QOI")),
    (0, b"AT&TFORM", _OTHER.format("DjVu")),
    (0, b"BPG\xfb", _OTHER.format("BPG")),
    *((0, mark, _OTHER.format("a Windows metafile")) for mark in (b"\xd7\xcd\xc6\x9a", b"\1\0\0\0\x58\0\0\0")),
    (0, b"\x1aE\xdf\xa3", _VIDEO),  # WebM, Matroska
    (8, b"AVI LIST", _VIDEO),
    (0, b"FLV\1", _VIDEO),
    (0, b"0&\xb2u\x8ef\xcf\x11", _VIDEO),  # ASF, WMV
    *((0, b"\0\0\1" + code, _VIDEO) for code in (b"\xba", b"\xb3")),  # MPEG
    (0, b"OggS", "is Ogg, a sound file or a video, not an image"),
    *((4, box, _VIDEO) for box in (b"moov", b"mdat", b"wide", b"free")),  # old QuickTime
    (0, b"ID3", _SOUND),
    (0, b"fLaC", _SOUND),
    (8, b"WAVEfmt", _SOUND),
    (0, b"\x1f\x8b", _ARCHIVE.format("gzip")),
    *((0, mark, _ARCHIVE.format("zip")) for mark in (b"PK\3\4", b"PK\5\6")),
    (0, b"BZh", _ARCHIVE.format("bzip2")),
    (0, b"\xfd7zXZ\0", _ARCHIVE.format("xz")),
    (0, b"(\xb5/\xfd", _ARCHIVE.format("Zstandard")),
    (0, b"7z\xbc\xaf\x27\x1c", _ARCHIVE.format("7-Zip")),
    (0, b"Rar!\x1a", _ARCHIVE.format("RAR")),
    (257, b"ustar", _ARCHIVE.format("tar")),
    (0, b"PAR1", _DATA.format("parquet")),
    (0, b"\x89HDF\r\n", _DATA.format("HDF5")),
    (0, b"\x93NUMPY", _DATA.format("a NumPy array")),
    (0, b"SQLite format 3", _DATA.format("SQLite")),
    (0, b"version https://git-lfs", "is a git-lfs pointer (run git lfs pull)"),
)

#: Brands of ISO files (ISO 14496-12) with pictures in HEVC, of those that only say that there are some, and of AVIF.
_HEVC: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_SOME_PICTURE: Final = frozenset({b"mif1", b"mif2", b"msf1", b"miaf"})
_AV1: Final = frozenset({b"avif", b"avis"})


def is_heif(head: bytes) -> bool:
    """Tell whether a file is HEIF with a picture in HEVC, as telephones make it."""
    brands = _brands(head)
    return bool(brands) and not _AV1 & set(brands) and (brands[0] in _SOME_PICTURE or bool(_HEVC & set(brands)))


def kind_of(head: bytes) -> str | None:
    """Say of a file that is no text what it is, by its first `HEAD` bytes; None where nothing is known."""
    for at, mark, kind in _MAGIC:
        if head.startswith(mark, at):
            return kind
    if (brands := _brands(head)) and not _AV1 & set(brands):
        return None if is_heif(head) else _VIDEO
    return None


def text_of(head: bytes) -> str | None:
    """Say of a file that is text of which kind it is; None where it is none."""
    if not head.strip(b"\0"):
        return "holds nothing but zeros where an image begins, as a file does whose writing broke off"
    try:
        # What is cut off at the end is no fault of the text's.
        text = head.decode("utf-8-sig") if len(head) < HEAD else head[: HEAD - 3].decode("utf-8-sig", "ignore")
    except UnicodeDecodeError:
        return None
    text = text.strip()
    if re.search(r"[\0-\x08\x0e-\x1a\x1c-\x1f]", text) or (len(head) == HEAD and len(text) < HEAD // 2):
        return None
    return _text_kind(text)


def _text_kind(text: str) -> str:
    lower = text[:1024].lower()
    if "<svg" in lower and lower.startswith("<"):
        return "is SVG, which holds no pixels (render it to PNG)"
    failed = "not an image; a download that failed may have saved it"
    if lower.startswith(("<!doctype html", "<html", "<head", "<body")) or "<html" in lower[:512]:
        return f"is HTML, {failed}"
    if lower.startswith("<"):
        return f"is XML, {failed}"
    if lower.startswith(("{", "[")):
        return f"is JSON, {failed}"
    shown = one_line(text[: _SHOWN + 1], _SHOWN)
    return f'is text, {failed} ("{shown}")'


def _brands(head: bytes) -> list[bytes]:
    """Return the brands of an ISO file, its own first."""
    if head[4:8] != b"ftyp":
        return []
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
