"""An input's lines arrive whole and numbered, however the file is written or packed."""

import bz2
import gzip
import json
import lzma
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from producer.rows.element import LONGEST_LINE
from producer.rows.lines import Line, read_lines
from worker.contract.errors import RunError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b'{"a": 1}\n\n{"b": "\xc3\xa4"}\nbad\n'
LINES = [Line(0, 1, '{"a": 1}'), Line(1, 3, '{"b": "ä"}'), Line(2, 4, "bad")]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": partial(lzma.compress, format=lzma.FORMAT_ALONE),
}


def test_lines(tmp_path: Path) -> None:
    """Rows count from 0 without blank lines, numbers from 1 with them; a BOM, CRLF and a missing last newline pass."""
    path = tmp_path / "input.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\r\n  \t\n {"b": "\xc3\xa4"} \n\nbad\n{"c": 3}')
    expected = [(0, 1, '{"a": 1}'), (1, 4, '{"b": "ä"}'), (2, 6, "bad"), (3, 7, '{"c": 3}')]
    assert list(read_lines(path)) == [Line(*fields) for fields in expected]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A line with invalid UTF-8 is handed on with all of its bytes, and marked."""
    path = tmp_path / "input.jsonl"
    path.write_bytes(b'{"images": "caf\xe9.png"}\n' + json.dumps({"a": 1}).encode())
    bad, good = read_lines(path)
    assert bad == Line(0, 1, '{"images": "caf\\xe9.png"}', "is no UTF-8 text.")
    assert good.problem is None


@pytest.mark.parametrize("packer", PACKERS)
def test_a_line_without_end_fills_no_memory(tmp_path: Path, packer: str) -> None:
    """Of a line of more than 16 MiB only the beginning is kept, and the lines after it have their own numbers."""
    path = tmp_path / "input.jsonl"
    path.write_bytes(PACKERS[packer](b'{"a": 1}\n' + b"x" * (LONGEST_LINE + 1) + b'\n{"b": 2}'))
    first, long, last = read_lines(path)
    assert (first.number, long.number, last.number, last.text) == (1, 2, 3, '{"b": 2}')
    assert long.problem == "has 16777218 bytes, more than 16777216; only its beginning is kept here."
    assert long.text == "x" * 1024
    path.write_bytes(b"x" * LONGEST_LINE)
    (whole,) = read_lines(path)
    assert (len(whole.text), whole.problem) == (LONGEST_LINE, None)


def test_a_zstandard_file_may_begin_with_a_skippable_frame(tmp_path: Path) -> None:
    """What some compressors write before the first frame (RFC 8878, 3.1.2) does not make a file plain text."""
    path = tmp_path / "input.jsonl.zst"
    path.write_bytes(b"\x5a\x2a\x4d\x18\x04\0\0\0abcd" + zstd.compress(TEXT))
    assert list(read_lines(path)) == LINES


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("name", ["input.jsonl.gz", "input.jsonl.zst", "input.jsonl"])
def test_the_content_tells_the_compression(tmp_path: Path, packer: str, name: str) -> None:
    """A compressed input reads like a plain one, whatever its name says."""
    (tmp_path / name).write_bytes(PACKERS[packer](TEXT))
    assert list(read_lines(tmp_path / name)) == LINES


@pytest.mark.parametrize("packer", PACKERS)
def test_parts_that_were_packed_one_by_one_are_one_input(tmp_path: Path, packer: str) -> None:
    """Compressed files that were joined, as `cat` and parallel compressors do, are read to the end of the last."""
    (tmp_path / "a").write_bytes(PACKERS[packer](TEXT[:12]) + PACKERS[packer](TEXT[12:]))
    assert list(read_lines(tmp_path / "a")) == LINES


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("damage", ["cut", "garbled"])
def test_a_damaged_input_is_an_error(tmp_path: Path, packer: str, damage: str) -> None:
    """A compressed input that is cut or garbled is no shorter input: reading it ends in one sentence."""
    packed = bytearray(PACKERS[packer](b"".join(json.dumps({"n": n * 7919}).encode() + b"\n" for n in range(9999))))
    if damage == "cut":
        del packed[-100:]
    else:
        packed[len(packed) // 2 :] = b"\xff" * (len(packed) - len(packed) // 2)
    path = tmp_path / "input.jsonl.gz"
    path.write_bytes(packed)
    with pytest.raises(RunError, match=rf"^The input {re.escape(str(path))} is damaged after line \d+ .*\.$"):
        list(read_lines(path))


def test_an_unreadable_input_is_an_error(tmp_path: Path) -> None:
    """An input that vanished is one sentence, not a traceback."""
    with pytest.raises(RunError, match=r"cannot be read: No such file or directory\.$"):
        list(read_lines(tmp_path / "absent.jsonl"))
