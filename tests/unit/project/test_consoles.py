"""What the pages tell users to type can be typed: every line parses, and each block is run, or says why it is not."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from producer.commands.cli import main
from tests.support.command_lines import problems
from tests.support.consoles import PAGES, Console, consoles
from tests.support.galleries import edits, picture, run_of
from tests.support.place import PROJECT

BLOCKS = [block for page in PAGES for block in consoles(page)]
RUN = [block for block in BLOCKS if block.mark == "run"]

#: Of a mark: run by a test that is named, or not run for a reason.
MARK = re.compile(r"run|run by (?P<test>tests/\S+\.py)|not run: .{10,}")


def named(block: Console) -> str:
    """Name a block in pytest's own words."""
    return block.name


@pytest.mark.parametrize("block", BLOCKS, ids=named)
def test_every_line_can_be_typed(block: Console) -> None:
    """Its commands, options, settings, targets and extras are there; other programs stand in blocks that say so."""
    assert block.typed
    found = {line: [*problems(line, strange=block.mark.startswith(("not run", "run by")))] for line in block.typed}
    assert {line: what for line, what in found.items() if what} == {}


@pytest.mark.parametrize("block", BLOCKS, ids=named)
def test_every_block_is_run_or_says_why_not(block: Console) -> None:
    """A comment before it says that this test runs it, which other test does, or why none does."""
    mark = MARK.fullmatch(block.mark)
    assert mark, block.mark
    assert mark["test"] is None or (PROJECT / mark["test"]).is_file()


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Lay out what the pages speak of: the examples, an input of one's own, and a run of four rows, one of them bad."""
    (tmp_path / "examples").symlink_to(PROJECT / "examples")
    picture(tmp_path / "a.png")
    run_of(tmp_path, edits(4), failed={2: "line 3: the picture is too large for the GPU"})
    (tmp_path / "input.jsonl").write_bytes((tmp_path / "in.jsonl").read_bytes())
    return tmp_path


@pytest.mark.parametrize("block", RUN, ids=named)
def test_a_block_does_what_it_shows(block: Console, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line ends well, or as it says in its comment, and what the page shows of its output is said."""
    monkeypatch.chdir(desk)
    said = ""
    for line in block.typed:
        program, *arguments = shlex.split(line.replace("/shared/", f"{desk}/"), comments=True)
        assert program == "producer"
        ended = CliRunner().invoke(main, arguments, prog_name=program)
        code = re.search(r"  #.* exit code (\d)", line)
        assert ended.exit_code == (int(code[1]) if code else 0), ended.output
        said += ended.output
    assert [shown for shown in block.shown if shown.replace("/shared/", f"{desk}/") not in said] == [], said


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("producer run input.jsonl --sead 7", "sead"),
        ("producer redoo /shared/run", "redoo"),
        ("producer collect", "needs DIR"),
        ("producer retry /shared/run --only bad", "bad"),
        ("producer submit a.jsonl b.jsonl", "b.jsonl"),
        ("FLEET_BATCHES=4 producer run input.jsonl", "FLEET_BATCHES"),
        ("cd /data && producer statu", "statu"),
        ("celery -A worker worker -c 1", "--concurrency"),
        ("celery -A worker worker --nodename gpu0", "nodename"),
        ("celery worker", "-A worker"),
        ("celery -A worker flower --adress=127.0.0.1", "adress"),
        ("make dome", "dome"),
        (".venv/bin/python -m tests.bench.nothing", "tests.bench.nothing"),
        ("pip install '.[wroker]'", "wroker"),
        ("kubectl get pods", "kubectl"),
    ],
)
def test_a_line_that_cannot_be_typed_is_found(line: str, found: str) -> None:
    """A command, option, setting, target, module or extra that is not there, and a program that nobody has tried."""
    assert any(found in what for what in problems(line))
