"""A file that holds no rows is refused in one sentence, which says what it is and what to do."""

import gzip
import io
import pickle
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import feather, ipc

from producer.rows.lines import read_lines
from worker.contract.errors import RunError

ROW = b'{"images": "a.png", "conversations": "Make it red."}\n'
TABLE = pa.table({"images": ["a.png"]})


def zipped(*names: str) -> bytes:
    """Return a zip archive with members of these names."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, ROW)
    return made.getvalue()


def tarred() -> bytes:
    """Return a tar archive."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        info = tarfile.TarInfo("rows.jsonl")
        info.size = len(ROW)
        archive.addfile(info, io.BytesIO(ROW))
    return made.getvalue()


def picture(kind: str) -> bytes:
    """Return a picture."""
    made = io.BytesIO()
    Image.new("RGB", (8, 8)).save(made, kind)
    return made.getvalue()


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    """Return what a library writes."""
    made = io.BytesIO()
    write(made)
    return made.getvalue()


def streamed() -> bytes:
    """Return a table in Arrow's stream format, as the library datasets keeps it."""
    made = io.BytesIO()
    with ipc.new_stream(made, TABLE.schema) as stream:
        stream.write_table(TABLE)
    return made.getvalue()


def database() -> bytes:
    """Return an SQLite database."""
    connection = sqlite3.connect(":memory:")
    connection.execute("create table rows (images)")
    return connection.serialize()


PICTURES = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "AVIF")

FILES = {
    "zip": (zipped("rows.jsonl"), "a zip archive; unpack it"),
    "empty zip": (zipped(), "a zip archive; unpack it"),
    "xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook; save the sheet as CSV"),
    "npz": (written(lambda file: np.savez(file, a=np.zeros(3))), "a NumPy archive; export"),
    "torch": (zipped("archive/data.pkl"), "a PyTorch file; export"),
    "tar": (tarred(), "a tar archive; unpack it"),
    "tar.gz": (gzip.compress(tarred()), "a tar archive; unpack it"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive; unpack it"),
    "rar": (b"Rar!\x1a\x07\x01\0", "a rar archive; unpack it"),
    "lz4": (b"\x04\x22\x4d\x18\x64\x40\xa7", "packed with lz4; unpack it, or pack it with gzip"),
    "compress": (b"\x1f\x9d\x90", "packed with compress; unpack it"),
    "twice": (gzip.compress(gzip.compress(ROW)), "packed twice, the second time with gzip; unpack it once"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "an old Excel or Office file; save the sheet as CSV"),
    "feather": (written(lambda file: feather.write_feather(TABLE, file)), "an Arrow or Feather file; write it as"),
    "arrow": (streamed(), "an Arrow or Feather file; write it as parquet"),
    "sqlite": (database(), "an SQLite database; export the rows: sqlite3 -json"),
    "pickle": (pickle.dumps([{"images": "a.png"}]), "a Python pickle, which is never loaded; write it as jsonl"),
    "npy": (written(lambda file: np.save(file, np.zeros(3))), "a NumPy array; export"),
    "hdf5": (b"\x89HDF\r\n\x1a\n\0", "an HDF5 file; export"),
    "avro": (b"Obj\x01\x04", "an Avro file; write it as parquet or jsonl"),
    "orc": (b"ORC\x0a\x03", "an ORC file; write it as parquet or jsonl"),
    "encrypted parquet": (b"PARE\x15\x00\x15\x02", "encrypted parquet; write it without"),
    "pdf": (b"%PDF-1.7\n", "a PDF; export"),
    "rtf": (b"{\\rtf1\\ansi", "rich text; save it as plain text"),
    **{kind: (picture(kind), "an image; name the jsonl") for kind in PICTURES},
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "an image; name the jsonl"),
    "mp4": (b"\0\0\0\x20ftypisom\0\0\2\0", "a video; name the jsonl"),
    "svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG image; name the jsonl"),
    "html": (b"\xef\xbb\xbf\n<!DOCTYPE html>\n<html>", "an HTML page; download the file itself"),
    "HTML": ("<HTML><HEAD>".encode("utf-16"), "an HTML page; download the file itself"),
    "xml": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML; see whether it is a server's"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid", "a git-lfs pointer, not the file; run git lfs"),
    "zeros": (bytes(100), "no text that could hold rows: it begins with the byte 0x00"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_what_it_is_and_what_to_do(tmp_path: Path, kind: str) -> None:
    """The file is named for what it is, before its first row, whatever it is called."""
    data, sentence = FILES[kind]
    path = tmp_path / "input.jsonl"
    path.write_bytes(data)
    with pytest.raises(RunError) as raised:
        next(read_lines(path))
    text = str(raised.value)
    assert text.startswith(f"The input {path} is {sentence}")
    assert text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize(
    "first", ["PARENT,b", "ORCID,b", "PK,b", "PAR1,PAR2", "BMI,b", "II*,b", "MZ,b", "<image>,b", "{}", "GIF,b", "Rar,b"]
)
def test_text_that_begins_alike_is_no_such_file(tmp_path: Path, first: str) -> None:
    """A row or a header that shares its first letters with another kind is still read."""
    path = tmp_path / "input.csv"
    path.write_text(f"{first}\n1,2\n")
    assert list(read_lines(path))
