"""Whatever is damaged in a file of whatever kind, its rows are read, or one sentence says why not."""

import bz2
import csv
import io
import json
import lzma
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from producer.rows.lines import read_lines
from worker.contract.errors import RunError

ROWS = [{"images": f"{n}.png", "conversations": 'Make it "ä",\nred.', "n": n} for n in range(30)]


def table() -> str:
    """Return the rows as CSV."""
    made = io.StringIO()
    writer = csv.DictWriter(made, ROWS[0])
    writer.writeheader()
    writer.writerows(ROWS)
    return made.getvalue()


def columns() -> bytes:
    """Return the rows as parquet."""
    made = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(ROWS), made)
    return made.getvalue()


PRETTY = json.dumps(ROWS, indent=1).encode()
FILES = [
    PRETTY,
    b"\n".join(json.dumps(row, indent=1).encode() for row in ROWS),
    json.dumps(ROWS, ensure_ascii=False).encode("utf-16"),
    table().encode(),
    table().encode("utf-16-le"),
    columns(),
    bz2.compress(PRETTY),
    lzma.compress(table().encode()),
]


def refusal(path: Path) -> str:
    """Read a file to its end; return the sentence that refuses it, if one does."""
    try:
        assert all(line.text for line in read_lines(path))
    except RunError as error:
        return str(error)
    return ""


DAMAGES = st.tuples(
    st.integers(0, 10**6), st.integers(0, 60), st.binary(max_size=3) | st.sampled_from([b'"', b"}", b"]"])
)


@settings(max_examples=200, deadline=None)
@given(file=st.sampled_from(FILES), damages=st.lists(DAMAGES, min_size=1, max_size=4))
def test_no_damage_is_a_traceback(file: bytes, damages: list[tuple[int, int, bytes]]) -> None:
    """Bytes that are lost, changed or added anywhere end in rows or in one printable sentence."""
    data = bytearray(file)
    for place, lost, added in damages:
        at = place % (len(data) + 1)
        data[at : at + lost] = added
    with TemporaryDirectory() as folder:
        path = Path(folder) / "input"
        path.write_bytes(data)
        said = refusal(path)
    assert said.isprintable()
    assert said.endswith(".") or not said
