"""The output jsonl is the input, line by line, with each row's images added, and nothing of the user's lost."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from producer.collecting.output import Written, write_output
from producer.rows.lines import read_lines
from producer.rows.source import taken
from producer.run import opening
from producer.run.as_sent import Reading
from producer.run.open_run import Run
from producer.run.records import Entry, State
from worker.contract.messages import Outcome
from worker.contract.row_warnings import RowWarning
from worker.settings.fleet import load_settings

#: The beginning of a good row, as its user typed it.
GOOD = '{"images": "a.png", "conversations": ["x"]'
DONE, FAILED = "done", "failed"
CUT = (RowWarning.INSTRUCTION_CUT,)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let relative paths begin in a folder inside the test's own, so that "../run" is the test's, too."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def answers(run: Run, fates: dict[int, str], warned: Mapping[int, tuple[RowWarning, ...]]) -> Iterator[Outcome]:
    """Note all rows in the ledger and answer some."""
    parser = run.parser
    for line in read_lines(run.source.path):
        row = parser.parse(line)
        digest = row.request.fingerprint if row.request else None
        state = State.NOTED if row.request else State.KEPT if row.kept else State.FAILED
        run.ledger.note([Entry(line.row, digest, state, row.error, row.warnings)])
        if digest and (fate := fates.get(line.row)):
            paths = (f"sample_{line.row}/sample_{line.row}_0.png",)
            result: Any = {"status": DONE, "paths": paths} if fate == DONE else {"status": FAILED, "error": fate}
            result["warnings"] = warned.get(line.row, ())
            yield Outcome(run=run.ledger.run, row=line.row, fingerprint=digest, worker="w", **result)


def _as_sent(run: Run) -> tuple[Written, str]:
    """Write the output once more, after the whole input is known to be what the ledger has."""
    reading = Reading(run)
    deque(reading.through(read_lines(run.source.path)), maxlen=0)
    reading.remember()
    return write_output(run, Path("output.jsonl")), Path("output.jsonl").read_text("utf-8")


def output(
    *lines: str,
    fates: dict[int, str] | None = None,
    warned: Mapping[int, tuple[RowWarning, ...]] = MappingProxyType({}),
    folder: str = "run",
    **given: Any,
) -> tuple[list[str], int]:
    """Write the output of a run whose rows (or those of `fates`) were answered; return it and the unanswered rows.

    `warned`: what the worker said of rows.
    """
    Path("input.jsonl").write_text("\n".join(lines), "utf-8")
    settings = load_settings(diffuser_model_name="demo", **given)
    with taken(Path("input.jsonl"), Path()) as source, opening.create(source, Path(folder), settings, "submit") as run:
        run.remember()
        fates = dict.fromkeys(range(len(lines)), DONE) if fates is None else fates
        run.ledger.apply(list(answers(run, fates, warned)))
        written = write_output(run, Path("output.jsonl"))
        text = Path("output.jsonl").read_text("utf-8")
        assert (written, text) == _as_sent(run), "an input that is known to be as it was sent gives the same output"
    unanswered = written.unanswered
    assert text.endswith("\n")
    return text[:-1].split("\n"), unanswered


def test_details_are_told_on_demand() -> None:
    """Of a row that a worker had: who it was, what was measured; nothing of a row that none has seen."""
    lines, _ = output(f"{GOOD}}}", '{"images": 3}', fates={0: DONE}, details=True)
    assert json.loads(lines[0])["details"] == {"seconds": {}, "worker": "w"}
    assert "details" not in json.loads(lines[1])
    assert "details" not in json.loads(output(f"{GOOD}}}")[0][0])


@pytest.mark.parametrize(
    ("theirs", "stays"), [('"mine"', True), ('{"worker": "v", "hat": 1}', True), ('{"worker": "v", "seed": 1}', False)]
)
def test_a_column_details_of_the_users_own_stays(theirs: str, *, stays: bool) -> None:
    """What an earlier run of ours has written gives way."""
    [line], _ = output(f'{GOOD}, "details": {theirs}}}', details=True)
    assert (json.loads(line)["details"] == json.loads(theirs)) is stays


IMAGES = '["./run/sample_0/sample_0_0.png"]'


@pytest.mark.parametrize(
    "rest",
    [
        "",
        ', "n": 123456789012345678901234567890',  # more than 64 bits
        ', "x": 0.10000000000000001, "y": 1.0, "z": 1E5, "w": 1e400, "v": -0.0',  # floats as they were typed
        ', "s": "Straße 🙂 \\u00e9 \\/ \\ud83d\\ude42 \\ud800"',  # escapes as they were typed
        ', "z": 1, "a": {"z": null, "a": []}',  # order
        ',"tight":[1,2],   "wide" :  3  ',  # blanks
        ', "nan": NaN',  # what Python writes for it
        ', "end": "}"',
    ],
)
def test_the_users_text_survives(rest: str) -> None:
    """A row is what its user typed, with the output column added at its end."""
    [line], unanswered = output(f"{GOOD}{rest}}}")
    assert line == f'{(GOOD + rest).rstrip()}, "output_image": {IMAGES}}}'
    assert unanswered == 0


def test_an_error_comes_last() -> None:
    """A row that failed has no images, and its error after them."""
    [line], _ = output(f"{GOOD}}}", fates={0: "image /a.png: „no“ such file."})
    assert line == f'{GOOD}, "output_image": [], "error": "line 1: image /a.png: „no“ such file."}}'


def test_a_row_that_was_never_sent_has_its_error() -> None:
    """A row that could not become a request says so, after what its user typed."""
    lines, unanswered = output('{"images": 3, "conversations": ["x"]}', "", '{"images": "a.png"}')
    error = "line 1: images: expected a path or a list of paths, found a number."
    assert lines[0] == f'{{"images": 3, "conversations": ["x"], "output_image": [], "error": "{error}"}}'
    assert json.loads(lines[1])["error"].startswith("line 3: conversations: ")
    assert unanswered == 0


def test_an_empty_object_is_a_row() -> None:
    """`{}` becomes a valid line, too."""
    [line], _ = output("{}")
    assert list(json.loads(line)) == ["output_image", "error"]


@pytest.mark.parametrize("text", ['{"images": "ä.png"', "[1, 2]", "null", '"\\ud800"', "a\\b"])
def test_a_line_that_is_no_object_is_kept_as_text(text: str) -> None:
    """A line that is no JSON object is in the output as text, beside its error."""
    lines, _ = output(text, f"{GOOD}}}")
    found = json.loads(lines[0])
    assert list(found) == ["raw", "output_image", "error"]
    assert (found["raw"], found["output_image"]) == (text, [])
    assert json.loads(lines[1])["output_image"] == ["./run/sample_1/sample_1_0.png"]


def test_a_kept_row_is_not_touched() -> None:
    """A row that came with its output leaves as it came, and says that it was left alone."""
    kept = '{"output_image" : ["b.png"],  "x": 1.10'
    lines, unanswered = output(f"{kept}}}")
    assert (lines, unanswered) == ([f'{kept}, "warnings": ["kept"]}}'], 0)


def test_warnings_come_last() -> None:
    """What the row and what the worker gave cause to say stands in one column, in the order of the kinds."""
    two = GOOD.replace('"a.png"', '["a.png", "b.png"]')
    lines, _ = output(f"{two}}}", f"{GOOD}}}", warned={0: CUT})
    assert lines[0] == f'{two}, "output_image": {IMAGES}, "warnings": ["images-unused", "instruction-cut"]}}'
    assert "warnings" not in lines[1]


def test_a_failed_row_has_its_warnings_too() -> None:
    """Warnings stand behind an error."""
    [line], _ = output(f"{GOOD}}}", fates={0: "no."}, warned={0: CUT})
    assert line == f'{GOOD}, "output_image": [], "error": "line 1: no.", "warnings": ["instruction-cut"]}}'


def test_warnings_of_an_earlier_run_are_replaced() -> None:
    """What an earlier run of ours said gives way to what this one says, and goes where it says nothing."""
    row = f'{GOOD}, "warnings": ["images-unused"]}}'
    lines, _ = output(row, row, warned={0: CUT})
    assert lines[0] == f'{GOOD}, "output_image": {IMAGES}, "warnings": ["instruction-cut"]}}'
    assert "warnings" not in lines[1]


def test_a_kept_row_keeps_its_warnings() -> None:
    """What was said of the edit that a row came with is still said."""
    lines, _ = output('{"output_image": ["b.png"], "warnings": ["instruction-cut"]}')
    assert lines == ['{"output_image": ["b.png"], "warnings": ["kept", "instruction-cut"]}']


@pytest.mark.parametrize("own", ['"mine"', "3", '["mine"]', '{"kept": 2}', '["kept", 1]'])
def test_a_warning_column_of_the_users_own_survives(own: str) -> None:
    """A column `warnings` that is not ours is never replaced: the warning is counted, and one sentence says so."""
    row = f'{GOOD}, "warnings": {own}}}'
    lines, _ = output(row, row, warned={0: CUT})
    assert [json.dumps(json.loads(line)["warnings"]) for line in lines] == [own, own]
    with opening.reopen(Path("run"), "collect") as run:
        sentences = write_output(run, Path("output.jsonl")).sentences
    crowded = "1 row has a column warnings of its own, which stays; --output-warning-key names another for their"
    assert sentences == [
        "1 row: the instruction is longer than the model reads (such as row 0).",
        "Each row names its warnings in its column warnings.",
        f"{crowded} warnings.",
    ]


@pytest.mark.parametrize("empty", ['""', "null", "[]"])
def test_an_empty_warning_column_gives_way_to_warnings_only(empty: str) -> None:
    """An empty column `warnings` survives where there are none."""
    row = f'{GOOD}, "warnings": {empty}}}'
    lines, _ = output(row, row, warned={0: CUT})
    assert lines[0] == f'{GOOD}, "output_image": {IMAGES}, "warnings": ["instruction-cut"]}}'
    assert json.loads(lines[1])["warnings"] == json.loads(empty)


def test_the_warning_column_may_have_another_name() -> None:
    """Where `warnings` is the user's, ours go into the column that they name."""
    row = f'{GOOD}, "warnings": "mine"}}'
    [line], _ = output(row, warned={0: CUT}, output_warning_key="said")
    assert line == f'{GOOD}, "warnings": "mine", "output_image": {IMAGES}, "said": ["instruction-cut"]}}'


@pytest.mark.parametrize("before", ['""', "[]", '[""]', "null"])
def test_an_empty_output_column_is_replaced(before: str) -> None:
    """An output column that was there and empty is there once, at the end."""
    [line], _ = output(f'{{"output_image": {before}, "n": 12345678901234567890, "s": "é", {GOOD[1:]}}}')
    pairs = json.loads(line, object_pairs_hook=list)
    assert [key for key, _ in pairs] == ["n", "s", "images", "conversations", "output_image"]
    assert dict(pairs) == {
        "n": 12345678901234567890,
        "s": "é",
        "images": "a.png",
        "conversations": ["x"],
        "output_image": ["./run/sample_0/sample_0_0.png"],
    }


@pytest.mark.parametrize("number", ["0.12345678901234567890", "1e400"])
def test_digits_survive_a_replaced_column(number: str) -> None:
    """A number that no float holds is as its user typed it, also in a row whose output column is replaced."""
    [line], _ = output(f'{{"x": {number}, "output_image": "", {GOOD[1:]}}}')
    assert f'"x": {number}' in line


def test_an_error_of_an_earlier_run_is_replaced() -> None:
    """What an earlier run of ours wrote goes with success, and gives way to a new error."""
    row = f'{GOOD}, "output_image": [], "error": "line 7: image /a.png: no such file."}}'
    lines, _ = output(row, row, fates={0: DONE, 1: "new"})
    assert lines[0] == f'{GOOD}, "output_image": {IMAGES}}}'
    assert lines[1] == f'{GOOD}, "output_image": [], "error": "line 2: new"}}'


@pytest.mark.parametrize("empty", ['""', "null"])
def test_an_empty_error_column_gives_way_to_an_error_only(empty: str) -> None:
    """An empty column `error` survives success, as every field does, and gives its place to an error."""
    row = f'{GOOD}, "error": {empty}}}'
    lines, _ = output(row, row, fates={0: DONE, 1: "new"})
    assert lines[0] == f'{GOOD}, "error": {empty}, "output_image": {IMAGES}}}'
    assert lines[1] == f'{GOOD}, "output_image": [], "error": "line 2: new"}}'


@pytest.mark.parametrize("own", ['"mine"', "3", "[]", '{"line 1: ": 2}', '"line 3: expected ;"'])
def test_an_error_column_of_the_users_own_survives(own: str) -> None:
    """A column `error` that is not ours survives success; where ours must be written, the whole line does, as text."""
    row = f'{GOOD}, "error": {own}}}'
    lines, _ = output(row, row, fates={0: DONE, 1: "new"})
    assert lines[0] == f'{GOOD}, "error": {own}, "output_image": {IMAGES}}}'
    assert json.loads(lines[1]) == {"raw": row, "output_image": [], "error": "line 2: new"}


def test_the_error_column_may_have_another_name() -> None:
    """Where `error` is the user's, ours goes into the column that they name."""
    row = f'{GOOD}, "error": "mine"}}'
    [line], _ = output(row, fates={0: "new"}, output_error_key="wrong")
    assert line == f'{GOOD}, "error": "mine", "output_image": [], "wrong": "line 1: new"}}'


def test_half_a_surrogate_pair_is_its_own_rows_error() -> None:
    """A URL that is no text fails its own row, and the output is written with all others."""
    lines, _ = output('{"images": "http://host/\\ud800.png", "conversations": ["x"]}', f"{GOOD}}}")
    assert json.loads(lines[0])["error"].startswith("line 1: images: ")
    assert json.loads(lines[1])["output_image"] == ["./run/sample_1/sample_1_0.png"]


def test_unanswered_rows_are_counted() -> None:
    """A row without an answer has no images, no error, and is counted."""
    lines, unanswered = output(f"{GOOD}}}", f"{GOOD}}}", f"{GOOD}}}", fates={1: DONE})
    assert [len(json.loads(line)["output_image"]) for line in lines] == [0, 1, 0]
    assert unanswered == 2


def test_an_answer_to_an_older_row_does_not_count() -> None:
    """A row that changed after it was answered is unanswered, and does not show the old row's pictures."""
    output(f"{GOOD}}}")
    Path("input.jsonl").write_text(f"{GOOD}}}".replace('"x"', '"y"'), "utf-8")
    with opening.reopen(Path("run"), "collect") as run:
        assert write_output(run, Path("output.jsonl")).unanswered == 1
    assert json.loads(Path("output.jsonl").read_text("utf-8"))["output_image"] == []


@pytest.mark.parametrize(
    ("folder", "shown"),
    [
        ("run", "./run"),
        ("cache_local/a", "./cache_local/a"),  # as DataFlow shows it
        (".", "."),
        ("../run", "../run"),
        ("{tmp_path}/run", "{tmp_path}/run"),
    ],
)
def test_paths_are_shown_as_the_folder_was_named(tmp_path: Path, folder: str, shown: str) -> None:
    """Images are named from where the command ran, in the way that its user named the folder."""
    [line], _ = output(f"{GOOD}}}", folder=folder.format(tmp_path=tmp_path))
    assert json.loads(line)["output_image"] == [f"{shown.format(tmp_path=tmp_path)}/sample_0/sample_0_0.png"]


def test_the_output_column_may_have_another_name() -> None:
    """The output goes into the column that the user names."""
    [line], _ = output(f"{GOOD}}}", output_image_key="edited")
    assert line == f'{GOOD}, "edited": {IMAGES}}}'


def test_no_temporary_file_is_left() -> None:
    """After writing there is the output under its final name and nothing beside it."""
    output(f"{GOOD}}}")
    assert sorted(path.name for path in Path().iterdir()) == ["input.jsonl", "output.jsonl", "run"]


@pytest.mark.parametrize(
    ("paths", "output", "shown"),
    [
        ("as-given", "output.jsonl", "./run/sample_0/sample_0_0.png"),
        ("relative", "output.jsonl", "./run/sample_0/sample_0_0.png"),
        ("relative", "run/output.jsonl", "./sample_0/sample_0_0.png"),
        ("relative", "made/output.jsonl", "../run/sample_0/sample_0_0.png"),
        ("absolute", "made/output.jsonl", "{here}/run/sample_0/sample_0_0.png"),
    ],
)
def test_paths_begin_where_they_are_wanted(paths: str, output: str, shown: str) -> None:
    """They hold from where the command ran, from the output's own folder, or from anywhere."""
    Path("input.jsonl").write_text(GOOD + "}")
    model = load_settings(diffuser_model_name="demo", output_paths=paths)
    with taken(Path("input.jsonl"), Path()) as source, opening.create(source, Path("run"), model, "submit") as run:
        run.ledger.apply(list(answers(run, {0: DONE}, {})))
        write_output(run, Path(output))
    assert json.loads(Path(output).read_text())["output_image"] == [shown.format(here=Path.cwd())]
