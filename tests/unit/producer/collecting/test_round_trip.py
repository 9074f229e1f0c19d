"""Whatever a row holds comes back as it was, to the digit, the escape and the order, with our keys after it."""

import json
from collections import deque
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from producer.collecting.output import write_output
from producer.rows.lines import read_lines
from producer.rows.outputs import has_output
from producer.rows.source import taken
from producer.run import opening
from producer.run.as_sent import Reading
from producer.run.records import Entry, State
from worker.contract.messages import EditRequest, Outcome
from worker.pictures.files import sample_paths
from worker.settings.fleet import load_settings

#: Numbers as people and programs write them; no parser keeps them all.
NUMBERS = st.one_of(
    st.integers(-(10**40), 10**40).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["0.10000000000000001", "1.0", "1E5", "1e400", "-0.0", "0.12345678901234567890123"]),
)
#: Text with any code point, half pairs too, with and without escapes.
TEXTS = st.builds(
    lambda text, ascii_: json.dumps(text, ensure_ascii=ascii_ or any("\ud800" <= c <= "\udfff" for c in text)),
    st.text(st.characters(), max_size=12),
    st.booleans(),
)
BLANKS = st.sampled_from(["", " ", "  \t"])
OUR_KEYS = [json.dumps(key) for key in ("images", "conversations", "edit", "output_image", "error", "raw")]


@st.composite
def values(draw: st.DrawFn, depth: int = 0) -> str:
    """Write any JSON value, up to four deep."""
    kind = draw(st.sampled_from(["number", "text", "constant", *(["list", "object"] if depth < 4 else [])]))
    if kind == "list":
        return f"[{', '.join(draw(st.lists(values(depth + 1), max_size=3)))}]"
    if kind == "object":
        return draw(objects(depth + 1))
    return draw({"number": NUMBERS, "text": TEXTS, "constant": st.sampled_from(["true", "false", "null"])}[kind])


@st.composite
def objects(draw: st.DrawFn, depth: int = 0) -> str:
    """Write an object with distinct keys, with blanks as they come; outermost, often one that can be edited."""
    keys = TEXTS if depth else TEXTS | st.sampled_from(OUR_KEYS)
    pairs = draw(st.lists(st.tuples(keys, values(depth)), max_size=5, unique_by=lambda pair: json.loads(pair[0])))
    if not depth and draw(st.booleans()):
        needed = {"images": '"a.png"', "conversations": '["Make it red."]', "edit": "{}"}
        pairs = [pair for pair in pairs if json.loads(pair[0]) not in needed]
        pairs += [(json.dumps(key), value) for key, value in needed.items()]
    before, after = draw(BLANKS), draw(BLANKS)
    return "{" + before + f"{before},{after}".join(f"{k}{after}:{before}{v}" for k, v in pairs) + after + "}"


def exactly(line: str) -> list[tuple[str, Any]]:
    """Read an object as its pairs, in order, numbers as they are written."""
    found: list[tuple[str, Any]] = json.loads(line, object_pairs_hook=list, parse_int=str, parse_float=str)
    return found


def answer(request: EditRequest) -> Outcome:
    """Say that a row was edited."""
    paths = sample_paths(request)
    return Outcome(
        run=request.run, row=request.row, fingerprint=request.fingerprint, status="done", worker="w", paths=paths
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(objects(), min_size=1, max_size=10), st.sampled_from(["%s", "[%s\n]"]), st.booleans())
def test_any_object_comes_back_with_our_keys_after_it(lines: list[str], form: str, is_known_as_sent: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    """Any JSON object in gives the same object out; ours come last, and take the place of their namesakes only.

    So do those of an array: each as the line that it would be in a jsonl. Also where all is known to be as it was sent.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "input.jsonl").write_text(form % ("\n" if form == "%s" else ",\n").join(lines), "utf-8", newline="\n")
        model = load_settings(diffuser_model_name="demo")
        with (
            taken(folder / "input.jsonl", folder) as source,
            opening.create(source, folder / "run", model, "submit") as run,
        ):
            rows = [run.parser.parse(line) for line in read_lines(source.path)]
            done = {row.line.row for row in rows if row.request is not None}
            forms = [row.request and row.request.fingerprint for row in rows]
            run.ledger.note(
                [
                    Entry(row.line.row, form, State.NOTED, warnings=row.warnings)
                    for row, form in zip(rows, forms, strict=True)
                ]
            )
            run.ledger.apply([answer(row.request) for row in rows if row.request is not None])
            reading = Reading(run)
            deque(reading.through(read_lines(source.path)), maxlen=0)
            if is_known_as_sent:
                reading.remember()
            write_output(run, folder / "output.jsonl")
            errors = [row.error for row in rows]
        written = (folder / "output.jsonl").read_text("utf-8").removesuffix("\n").split("\n")
    for number, (given_line, line, error) in enumerate(zip(lines, written, errors, strict=True)):
        before = exactly(given_line)
        if has_output(json.loads(given_line).get("output_image")):
            said: list[tuple[str, Any]] = [("warnings", ["kept"])]
            assert exactly(line) == [*before, *said]  # it came with its output
            continue
        paths = [f"{folder}/run/sample_{number}/sample_{number}_0.png"] if number in done else []
        fields = json.loads(given_line)
        if error is not None and fields.get("error") not in (None, ""):
            assert json.loads(line) == {"raw": given_line, "output_image": [], "error": error}
            continue
        ours: list[tuple[str, Any]] = [("output_image", paths), *([] if error is None else [("error", error)])]
        assert exactly(line) == [pair for pair in before if pair[0] not in dict(ours)] + ours
