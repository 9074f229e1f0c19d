"""The rows of an input, streamed as lines of JSON text, whatever kind of file it is and however it is packed."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final, NamedTuple

from producer.rows.arrays import read_array, read_objects
from producer.rows.element import LONGEST_LINE, Element, Unreadable
from producer.rows.encodings import UTF8_MARK, as_utf8, encoding_of
from producer.rows.foreign import foreign, no_text
from producer.rows.kinds import BEGINNING, Kind, kind_of
from producer.rows.numbered import read_numbered
from producer.rows.packing import DAMAGES, bare_name, packer, unpacked
from producer.rows.plain import read_plain
from producer.rows.tables import read_table
from worker.contract.errors import RunError, one_line

_CHUNK_TEXT: Final = 4 * LONGEST_LINE


class Line(NamedTuple):
    """A non-blank line of the input, or a row of another kind of file as if it stood on a line."""

    #: 0-based among the non-blank lines, or the row's own; names the row's files and never shifts.
    row: int
    #: 1-based in the file, for people: of an array's element that of the line in which it begins.
    number: int
    #: Without surrounding blanks; bytes that are no UTF-8 are written as escapes.
    text: str
    #: Why it cannot be a row, whatever it says.
    problem: str | None = None


def read_lines(path: Path) -> Iterator[Line]:
    """Stream the rows of an input. A byte order mark, CRLF and bytes that are no UTF-8 are borne.

    Raises:
        RunError: the file cannot be read, or not be decompressed to its end; or it is damaged, or holds no rows.

    """
    for place, (number, text, size, problem, row) in enumerate(_rows(path)):
        yield _line(place if row is None else row, number, text, size, problem)


def _rows(path: Path) -> Iterator[Element]:
    """Iterate over the elements that are rows, without the blanks around them."""
    number = 0
    try:
        with unpacked(path) as file:
            for number, raw, size, problem, row in _elements(file, path):
                text = raw.removeprefix(UTF8_MARK).strip()
                if text or size > LONGEST_LINE:
                    yield Element(number, text, size, problem, row)
    except Unreadable as error:
        raise RunError(f"The input {path} {one_line(error)}") from None
    except (*DAMAGES, OSError) as error:
        raise RunError(f"The input {path} {one_line(_cause(error, number))}") from None


def count_lines(path: Path) -> int:
    """Count the rows of an input; of a parquet file by what it says itself.

    Raises:
        RunError: as `read_lines`.

    """
    with suppress(Unreadable, OSError):  # reading says in full why it cannot be read
        with path.open("rb") as file:
            begin = file.read(BEGINNING)
        if kind_of(begin, suffix="")[0] is Kind.PARQUET and find_spec("pyarrow") is not None:
            from producer.rows.parquet import count_rows  # noqa: PLC0415 - what it imports is not in the base install

            return count_rows(path)
    return sum(1 for _ in _rows(path))


def in_chunks(lines: Iterable[Line], most: int) -> Iterator[list[Line]]:
    """Yield lines in lists of at most `most`, and of about 64 MiB of text, since a line may have 16."""
    chunk: list[Line] = []
    room = _CHUNK_TEXT
    for line in lines:
        chunk.append(line)
        room -= len(line.text)
        if len(chunk) == most or room <= 0:
            yield chunk
            chunk, room = [], _CHUNK_TEXT
    if chunk:
        yield chunk


def _elements(file: IO[bytes], path: Path) -> Iterator[Element]:
    """Iterate over the elements of a file, packed or not, by what it begins with."""
    begin = _beginning(file)
    if (packed := packer(begin)) is not None:
        raise Unreadable(f"is packed twice, the second time with {packed}; unpack it once.")
    if (encoding := encoding_of(begin)) is not None:
        file, begin = as_utf8(file, encoding), begin.decode(encoding, "ignore").encode("utf-8", "ignore")
    if begin.startswith(UTF8_MARK):
        begin = begin.removeprefix(file.read(len(UTF8_MARK)))
    _refuse(foreign(begin) or no_text(begin))
    kind, delimiter = kind_of(begin, suffix=Path(bare_name(path.name)).suffix.lower())
    match kind:
        case Kind.LINES:
            return read_plain(file)
        case Kind.NUMBERED:
            return read_numbered(file)
        case Kind.ARRAY:
            return read_array(file)
        case Kind.OBJECTS:
            return read_objects(file)
        case Kind.TABLE:
            return read_table(file, delimiter)
        case Kind.PARQUET:
            return _rows_of_parquet(path)


def _rows_of_parquet(path: Path) -> Iterator[Element]:
    if find_spec("pyarrow") is None:
        raise Unreadable("is parquet; install what reads it: pip install 'bulk-image-editor[tables]'.")
    from producer.rows.parquet import read_parquet  # noqa: PLC0415 - what it imports is not in the base install

    return read_parquet(path)


def _beginning(file: IO[bytes]) -> bytes:
    """Return what a file begins with; it will be read from there again."""
    begin = file.read(BEGINNING)
    file.seek(0)
    _refuse(foreign(begin))
    return begin


def _refuse(sentence: str | None) -> None:
    if sentence is not None:
        raise Unreadable(sentence)


def _cause(error: Exception, number: int) -> str:
    """Say in the rest of a sentence why a file cannot be read on."""
    if isinstance(error, DAMAGES) or getattr(error, "errno", None) is None:
        return f"is damaged after line {number} and cannot be decompressed ({error}); compress it again."
    return f"cannot be read: {getattr(error, 'strerror', None) or error}."


def _line(row: int, number: int, raw: bytes, size: int, problem: str | None) -> Line:
    # Escaped, not dropped: a broken line is handed back with everything that was in it.
    text = raw.decode("utf-8", "backslashreplace")
    if size > LONGEST_LINE:
        return Line(row, number, text, f"has {size} bytes, more than {LONGEST_LINE}; only its beginning is kept here.")
    if problem is not None:
        return Line(row, number, text, problem)
    try:
        return Line(row, number, raw.decode())
    except UnicodeDecodeError:
        return Line(row, number, text, "is no UTF-8 text.")
