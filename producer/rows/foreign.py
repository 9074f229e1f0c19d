"""Kinds of files that hold no rows, or not as text: what each begins with, what it is, and what to do about it."""

import re
from typing import Final

_AS_PARQUET: Final = "write it as parquet or jsonl (with the library datasets: load it, then to_parquet or to_json)"
_UNPACK: Final = "unpack it, and name the file in it that holds the rows"
_IMAGE: Final = "name the jsonl whose rows name the image"
_EXPORT: Final = "export the rows as CSV or jsonl"

#: The more telling first. Where a kind is told by its name alone, the name is in the pattern.
_KINDS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (rb"version https://git-lfs\.github\.com/spec/", "a git-lfs pointer, not the file", "run git lfs pull"),
    (rb"PK\x03\x04.{0,4000}(?:xl/|\[Content_Types\]\.xml)", "an Excel workbook", "save the sheet as CSV (UTF-8)"),
    (rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis", "an OpenDocument file", "save the sheet as CSV (UTF-8)"),
    (rb"PK\x03\x04.{26}[^/]{1,80}\.npy", "a NumPy archive", _EXPORT),
    (rb"PK\x03\x04.{26}[^/]{1,80}/(?:data\.pkl|\.format_version)", "a PyTorch file", _EXPORT),
    (rb"PK(?:\x03\x04|\x05\x06|\x07\x08)", "a zip archive", _UNPACK),
    (rb".{257}ustar", "a tar archive", _UNPACK),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (rb"Rar!\x1a\x07", "a rar archive", _UNPACK),
    (rb"\x1f[\x9d\xa0]", "packed with compress", _UNPACK),
    (rb"\x04\x22\x4d\x18|\x02\x21\x4c\x18", "packed with lz4", "unpack it, or pack it with gzip, zstd, bzip2 or xz"),
    (rb"\xff\x06\x00\x00sNaPpY", "packed with snappy", "unpack it, or pack it with gzip, zstd, bzip2 or xz"),
    (rb"LZIP\x01", "packed with lzip", "unpack it, or pack it with gzip, zstd, bzip2 or xz"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Office file", "save the sheet as CSV (UTF-8)"),
    (rb"ARROW1|FEA1|\xff{4}", "an Arrow or Feather file", _AS_PARQUET),
    (rb"PARE(?![ -~]{4})", "encrypted parquet", "write it without encryption"),
    (rb"ORC[^\w ,;|\t\r\"]", "an ORC file", "write it as parquet or jsonl"),
    (rb"Obj\x01", "an Avro file", "write it as parquet or jsonl"),
    (rb"SQLite format 3\x00", "an SQLite database", "export the rows: sqlite3 -json FILE 'select * from TABLE'"),
    (rb"\x89HDF\r\n\x1a\n", "an HDF5 file", _EXPORT),
    (rb"\x93NUMPY", "a NumPy array", _EXPORT),
    (rb"\x80[\x02-\x05]", "a Python pickle, which is never loaded", "write it as jsonl"),
    (rb"%PDF-", "a PDF", _EXPORT),
    (rb"\{\\rtf", "rich text", "save it as plain text"),
    (rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP|II\*\x00|MM\x00\*|BM.{4}\x00{4}", "an image", _IMAGE),
    (
        rb".{4}ftyp(?:avif|avis|heic|heix|mif1|msf1)|\xff\x0a|\x00\x00\x00\x0cJXL |\x00\x00\x00\x0cjP",
        "an image",
        _IMAGE,
    ),
    (rb".{4}ftyp|\x1a\x45\xdf\xa3", "a video", "name the jsonl whose rows name images"),
    (rb"\x00\x00\x01\xba|\x00\x00\x01\xb3|FLV\x01", "a video", "name the jsonl whose rows name images"),
    (rb"\x7fELF|MZ[\x00-\x08\x80-\xff]", "a program", "name the jsonl"),
)

#: What no text begins with, once it is known not to be in UTF-16 or UTF-32.
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1f]")

#: What is told without regard to case, after blanks.
_MARKUP: Final[tuple[tuple[bytes, str, str], ...]] = (
    (rb"<svg|<\?xml.{0,500}<svg", "an SVG image", _IMAGE),
    (
        rb"<!doctype html|<html|<head|<body",
        "an HTML page",
        "download the file itself: its address led to a page about it",
    ),
    (rb"<\?xml|<!doctype|<rss|<error>", "XML", "see whether it is a server's error; write the rows as jsonl"),
    (rb"<!--", "HTML or XML", "download the file itself: its address led to a page about it"),
)

_PATTERNS: Final[list[tuple[re.Pattern[bytes], str, str]]] = [
    *((re.compile(pattern, re.DOTALL), what, remedy) for pattern, what, remedy in _KINDS),
    *(
        (re.compile(rb"\s*(?:" + pattern + rb")", re.DOTALL | re.IGNORECASE), what, remedy)
        for pattern, what, remedy in _MARKUP
    ),
]


def foreign(begin: bytes) -> str | None:
    """Return what a file is that begins so, and what to do about it; None where it may hold rows, in any encoding."""
    return next((f"is {what}; {remedy}." for pattern, what, remedy in _PATTERNS if pattern.match(begin)), None)


def no_text(begin: bytes) -> str | None:
    """Say it where what a file begins with, once it is UTF-8, is no text."""
    if _CONTROL.match(begin) is None:
        return None
    return f"is no text that could hold rows: it begins with the byte 0x{begin[0]:02x}; name a jsonl."
