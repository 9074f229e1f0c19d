"""Fuzzing: hundreds of broken image files and of broken lines in one run, through everything but the transformer."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image

from tests.conftest import Fleet
from tests.support.cli import row
from tests.support.mutations import SEED_LINES, mutated, mutated_line, seed_images
from tests.support.pictures import photo

#: Files, and as many lines.
COUNTS = [200, pytest.param(1000, marks=pytest.mark.thorough)]

#: Seconds that each command may take; both together took 10 on two cores for a thousand.
LIMIT = 180
pytestmark = pytest.mark.timeout(2 * LIMIT + 60)

#: Most memory of the worker, in bytes: 0.1 GiB without any row, and twice the 0.4 of a picture of 100 million pixels,
#: the most that a damaged header can claim.
MOST_MEMORY = 2**30


@dataclass(frozen=True)
class Line:
    """A line that is not blank, and what was made of it."""

    #: Its place in the input, 1-based, blank lines counted.
    number: int
    given: str
    made: str

    def fields(self) -> Any:
        """Parse the output line."""
        return parsed(self.made)

    def is_kept(self) -> bool:
        """Tell whether the line came with its output, and is as it was but for saying so."""
        fields = self.fields()
        said = fields.pop("warnings", None)
        found = said == ["kept"] and fields == parsed_or_none(self.given) and fields["output_image"]
        return any(found) if isinstance(found, list) else bool(found)


@dataclass(frozen=True)
class Fuzzed:
    """The run and what came of it."""

    count: int
    folder: Path
    lines: list[Line]
    exit_code: int
    #: Of the worker: what it logged meanwhile, and the most memory that it took, in bytes.
    log: str
    memory: int


def parsed(text: str) -> Any:
    """Parse JSON, to the digit, and the NaN that Python writes."""
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)


def parsed_or_none(text: str) -> Any:
    """Parse what may be no JSON."""
    try:
        return parsed(text)
    except (ValueError, RecursionError):
        return None


def write_input(folder: Path, count: int) -> list[tuple[int, bytes]]:
    """Write so many files and lines; return each line that is not blank, with its number."""
    random = Random(20)  # noqa: S311 - the same every time
    seeds = seed_images()
    for number in range(count):
        (folder / f"{number}.bin").write_bytes(mutated(random.choice(seeds), seeds, random))
    for name in ("whole.png", "whole.jpg"):
        photo("coffee", 24, 24, folder / name)
    os.mkfifo(folder / "pipe")
    lines = [json.dumps(row(f"{number}.bin", "Leave it.")).encode() for number in range(count)]
    lines += [mutated_line(random.choice(SEED_LINES), random) for _ in range(count)]
    random.shuffle(lines)
    written = [b""]  # no damage may make the file one that is compressed
    for line in lines:
        written += [line, b" \t\r"] if random.random() < 0.05 else [line]
    (folder / "in.jsonl").write_bytes(b"\n".join(written))
    return [(number, line) for number, line in enumerate(written, start=1) if line.strip()]


def text_of(line: bytes) -> str:
    """Return a line as text: no mark at its beginning, no blanks around it, escapes for what is no UTF-8."""
    return line.removeprefix(b"\xef\xbb\xbf").strip().decode(errors="backslashreplace")


def peak_memory(pid: int) -> int:
    """Return the most memory that a process has taken since its peak was reset, in bytes."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return 1024 * int(found[1])


@pytest.fixture(scope="module", params=COUNTS)
def fuzzed(passthrough: Fleet, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Fuzzed:
    """Run all of it once, in a size that is written fast."""
    cli, worker = passthrough.cli(tmp_path_factory.mktemp("fuzz")), passthrough.worker
    given = write_input(cli.folder, request.param)
    logged = worker.log.stat().st_size
    Path(f"/proc/{worker.process.pid}/clear_refs").write_text("5")  # the peak of its memory counts from here on
    sent = cli("submit", "in.jsonl", "--run-dir", "r", "--size", "64x64", limit=LIMIT)
    assert sent.returncode == 0, sent.stderr
    done = cli("collect", "r", limit=LIMIT)
    assert "Traceback" not in done.stderr, done.stderr
    # Bytes, since a carriage return between two tokens ends no line.
    made = (cli.folder / "r/output.jsonl").read_bytes().decode().removesuffix("\n").split("\n")
    return Fuzzed(
        count=request.param,
        folder=cli.folder,
        lines=[Line(number, text_of(line), text) for (number, line), text in zip(given, made, strict=True)],
        exit_code=done.returncode,
        log=worker.log.read_bytes()[logged:].decode(errors="replace"),
        memory=peak_memory(worker.process.pid),
    )


def test_the_run_ends_with_failed_rows_and_no_other_fault(fuzzed: Fuzzed) -> None:
    """The exit code is that of a run in which some rows failed."""
    assert fuzzed.exit_code == 3
    assert len(fuzzed.lines) == 2 * fuzzed.count


def test_every_line_comes_back_in_its_place(fuzzed: Fuzzed) -> None:
    """Each output line is JSON and holds all fields of the input's line there, or else the line's text."""
    for line in fuzzed.lines:
        made, given = line.fields(), parsed_or_none(line.given)
        if made.get("raw") == line.given:
            continue
        ours = {"output_image"}
        if made["output_image"] == []:
            ours.add("error")  # an empty one, or one of an earlier run: any other is in the line's text
        assert {**made, **{key: given[key] for key in given if key not in ours}} == made, line


def test_what_is_json_stays_json(fuzzed: Fuzzed) -> None:
    """Only where a line came with NaN or an infinity, which are no JSON, its output line has them, too."""
    for line in fuzzed.lines:
        if not re.search("NaN|Infinity", line.given):
            json.loads(line.made, parse_int=str, parse_constant=pytest.fail)


def test_every_row_has_its_pictures_or_one_sentence(fuzzed: Fuzzed) -> None:
    """A row has pictures that open, or an error with its line and its reason, or came with its output."""
    for line in fuzzed.lines:
        if line.is_kept():
            continue
        fields = line.fields()
        for path in fields["output_image"]:
            with Image.open(fuzzed.folder / path) as picture:
                picture.load()
        if not fields["output_image"]:
            assert re.fullmatch(rf"line {line.number}: [^\n]{{1,600}}[.?]", fields["error"]), line


def test_no_row_surprises_the_worker(fuzzed: Fuzzed) -> None:
    """What is broken is recognised as the row's own fault, by a reason that was foreseen."""
    assert [line for line in fuzzed.lines if "the worker failed" in line.made] == []
    assert "Traceback" not in fuzzed.log
    assert "rejected a message" not in fuzzed.log


def test_the_worker_takes_little_memory(fuzzed: Fuzzed) -> None:
    """No file of a few kilobytes makes the worker take more memory than an honest picture would."""
    assert fuzzed.memory < MOST_MEMORY


def test_the_worker_is_there_for_the_next_run(fuzzed: Fuzzed, passthrough: Fleet, tmp_path: Path) -> None:
    """The process that took all of these rows edits a good one afterwards."""
    del fuzzed
    cli = passthrough.cli(tmp_path)
    photo("coffee", 300, 200, tmp_path / "a.png")
    (tmp_path / "in.jsonl").write_text(json.dumps(row("a.png", "Leave it.")))
    assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    assert cli("collect", "r").returncode == 0
    assert passthrough.worker.process.poll() is None


def test_the_damage_is_not_all_at_the_door(fuzzed: Fuzzed) -> None:
    """Of the files and of the lines a good tenth each are still good: the damage reaches past the first check."""
    edited = [".bin" in line.given for line in fuzzed.lines if not line.is_kept() and line.fields()["output_image"]]
    assert min(edited.count(True), edited.count(False)) >= {200: 24, 1000: 150}[fuzzed.count]
