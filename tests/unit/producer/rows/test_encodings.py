"""Text in UTF-16 and UTF-32 reads like the same text in UTF-8."""

import codecs
import gzip
import re
from pathlib import Path

import pytest

from producer.rows.lines import Line, read_lines
from worker.contract.errors import RunError

TEXT = '{"a": "ä"}\r\n\r\n{"b": "🙂\\n"}\n'
LINES = [Line(0, 1, '{"a": "ä"}'), Line(1, 3, '{"b": "🙂\\n"}')]
ENCODINGS = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]


@pytest.mark.parametrize("mark", ["\ufeff", ""], ids=["marked", "unmarked"])
@pytest.mark.parametrize("encoding", [*ENCODINGS, "utf-8"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_the_encoding_is_told_by_the_content(tmp_path: Path, encoding: str, mark: str, pack: type[bytes]) -> None:
    """Byte order, with its mark or by the zero bytes, is seen; rows and their lines are those of UTF-8."""
    path = tmp_path / "input.jsonl"
    path.write_bytes(pack((mark + TEXT).encode(encoding)))
    assert list(read_lines(path)) == LINES


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "text", ['[\n{"a": "ä"},\n\n{"b": "🙂\\n"}]', 'a,b\r\nx,"ä\n"\r\n🙂,y\r\n'], ids=["array", "table"]
)
def test_other_kinds_are_told_in_any_encoding(tmp_path: Path, encoding: str, text: str) -> None:
    """An array or a table in UTF-16, as spreadsheets export it, reads as it does in UTF-8."""
    (tmp_path / "a").write_bytes(text.encode())
    (tmp_path / "b").write_bytes(codecs.BOM_UTF16_LE + text.encode("utf-16-le"))
    (tmp_path / "c").write_bytes(text.encode(encoding))
    assert list(read_lines(tmp_path / "a")) == list(read_lines(tmp_path / "b")) == list(read_lines(tmp_path / "c"))


def test_many_pieces_are_one_text(tmp_path: Path) -> None:
    """Characters that lie across the pieces in which a file is read stay whole."""
    lines = [f'{{"n": "{"x" * (n % 7)}🙂{n}"}}' for n in range(40_000)]
    path = tmp_path / "input.jsonl"
    path.write_text("\n".join(lines), encoding="utf-16")
    assert [line.text for line in read_lines(path)] == lines


def test_half_a_character_is_its_rows_fault(tmp_path: Path) -> None:
    """Half a surrogate pair makes one bad row, which is handed back with what was in it."""
    path = tmp_path / "input.jsonl"
    path.write_bytes('{"a": "\ud83d"}\n{"b": 2}\n'.encode("utf-16", "surrogatepass"))
    bad, good = read_lines(path)
    assert bad == Line(0, 1, r'{"a": "\xed\xa0\xbd"}', "is no UTF-8 text.")
    assert good == Line(1, 2, '{"b": 2}')


@pytest.mark.parametrize(
    ("data", "reason"),
    [('{"a": 1}\n'.encode("utf-16")[:-1], "truncated data"), ('{"a": 1}\n'.encode("utf-32-le") + b"\xff" * 4, "range")],
)
def test_a_file_that_goes_on_otherwise_is_one_sentence(tmp_path: Path, data: bytes, reason: str) -> None:
    """A file that ends within a character, or changes its encoding, is an error and no shorter input."""
    path = tmp_path / "input.jsonl"
    path.write_bytes(data)
    with pytest.raises(RunError, match=rf"^The input {re.escape(str(path))} begins as UTF-\d\d-LE, .*{reason}.*\.$"):
        list(read_lines(path))
