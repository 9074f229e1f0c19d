"""The plan before the work: what it says, and that nothing is changed where it is not agreed to."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from producer.commands.cli import main
from producer.run.ledger import LEDGER, Ledger
from tests.support.by_hand import answer_all, lose, rows_in_queue, write_rows
from tests.support.cli import CLI, on_a_terminal, row, write_jsonl

SUBMIT = ("submit", "in.jsonl", "--run-dir", "r")


@pytest.fixture
def three(cli: CLI, redis_url: str) -> CLI:
    """Have a run of three rows that are done."""
    write_rows(cli, 3)
    assert cli(*SUBMIT).returncode == 0
    answer_all(redis_url)
    assert cli("collect", "r").returncode == 0
    return cli


def remembered(cli: CLI) -> list[str]:
    """Return all that the run's folder knows."""
    with closing(sqlite3.connect(cli.folder / "r" / LEDGER)) as ledger:
        return list(ledger.iterdump())


def test_a_plan_is_said_first(cli: CLI, redis_url: str) -> None:
    """What is new, what is tried again and what is left alone is said before the rows are sent."""
    write_rows(cli, 2)
    assert cli(*SUBMIT).stderr.startswith("Plan: 2 rows to edit (2 new).\n")
    answer_all(redis_url)
    assert cli("collect", "r").returncode == 0
    write_rows(cli, 3)
    assert cli(*SUBMIT).stderr.startswith("Plan: 1 row to edit (1 new); left alone: 2 finished.\n")
    assert rows_in_queue(redis_url) == [2]
    assert cli("retry", "r").stderr.startswith("Plan: nothing to edit; left alone: 2 finished and 1 on their way.\n")


@pytest.mark.parametrize("command", ["submit", "run"])
def test_finished_work_is_not_lost_to_an_option(three: CLI, redis_url: str, command: str) -> None:
    """Another seed is refused in one sentence, with exit code 2 and nothing changed, wherever the rows would go."""
    before = remembered(three)
    refused = three(command, *SUBMIT[1:], "--seed", 7)
    assert refused.returncode == 2
    assert refused.stderr == (
        "Plan: 3 rows to edit (3 finished ones again, because --seed was 0, is 7).\n"
        "Error: 3 rows that are finished would be edited again, because --seed was 0, is 7; nothing was changed. Say"
        " --redo to do so, or take the option back, or name another folder with --run-dir.\n"
    )
    assert remembered(three) == before
    assert rows_in_queue(redis_url) == []
    assert three(*SUBMIT).returncode == 0  # and the run goes on with the seed that it had
    assert rows_in_queue(redis_url) == []


def test_nor_to_paths_that_begin_elsewhere(three: CLI, redis_url: str) -> None:
    """Rows whose images are others are other rows; the same folder, spelled otherwise, is the same."""
    (three.folder / "there").mkdir()
    before = remembered(three)
    refused = three(*SUBMIT, "--images-from", "there")
    assert refused.returncode == 2
    because = f"because --images-from was {three.folder}, is {three.folder / 'there'}"
    assert f"Error: 3 rows that are finished would be edited again, {because};" in refused.stderr
    assert remembered(three) == before
    assert three(*SUBMIT, "--images-from", "there/..").returncode == 0
    assert rows_in_queue(redis_url) == []


def test_it_is_when_its_owner_says_so(three: CLI, redis_url: str) -> None:
    """With `--redo` the finished rows are sent again, and the run is the new seed's from then on."""
    assert three(*SUBMIT, "--seed", 7, "--redo").returncode == 0
    assert rows_in_queue(redis_url) == [0, 1, 2]
    answer_all(redis_url)
    assert three("collect", "r").returncode == 0
    assert "left alone: 3 finished" in three(*SUBMIT, "--seed", 7).stderr


@pytest.mark.parametrize(
    ("typed", "code", "queued"), [("y\n", 0, [0, 1, 2]), ("n\n", 2, []), ("\n", 2, []), ("\x04", 2, [])]
)
def test_on_a_terminal_a_yes_will_do(three: CLI, redis_url: str, typed: str, code: int, queued: list[int]) -> None:
    """Whoever sits there is asked, and anything but a yes changes nothing."""
    before = remembered(three)
    ended, shown = on_a_terminal(three, *SUBMIT, "--seed", 7, typed=typed)
    assert ended == code, shown
    assert "Edit them again? [y/N]" in shown
    assert rows_in_queue(redis_url) == queued
    assert (remembered(three) == before) == bool(code)


def test_what_is_on_its_way_is_not_lost_either(cli: CLI, redis_url: str) -> None:
    """Rows that workers have, or have answered and nobody has collected, need a yes, too."""
    write_rows(cli, 3)
    cli(*SUBMIT)
    assert cli(*SUBMIT, "--steps", 3).returncode == 2
    assert rows_in_queue(redis_url) == [0, 1, 2]


def test_changed_lines_need_no_yes(three: CLI, redis_url: str) -> None:
    """A line that its owner has changed is edited again without a question."""
    write_jsonl(
        three.folder / "in.jsonl", [row(f"{n}.png", "Make it red." if n else "Make it blue.") for n in range(3)]
    )
    assert three(*SUBMIT).returncode == 0
    assert rows_in_queue(redis_url) == [0]


@pytest.mark.parametrize("command", ["submit", "run"])
def test_a_dry_run_changes_nothing(three: CLI, command: str, tmp_path: Path) -> None:
    """The plan of a run that is there, or is not, is printed to the row; nothing is written, and no Redis is needed."""
    before = remembered(three)
    away = CLI(three.folder, {"broker_url": f"redis+socket://{tmp_path}/none.sock"})
    rows = [row("0.png", "Make it red."), row("1.png", "Make it blue."), {}, row("new.png", "x")]
    write_jsonl(three.folder / "in.jsonl", rows)
    done = away(command, *SUBMIT[1:], "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert {name: plan[name] for name in ("total", "to_edit", "finished", "changed", "new", "bad", "lost")} == {
        "total": 4, "to_edit": 2, "finished": 1, "changed": 1, "new": 1, "bad": 1, "lost": 0
    }  # fmt: skip
    assert remembered(three) == before
    fresh = away(command, "in.jsonl", "--run-dir", "none", "--dry-run")
    assert fresh.stdout == "Plan: 3 rows to edit (3 new); left alone: 1 that cannot be edited.\n"
    assert not (three.folder / "none").exists()


def test_what_a_run_had_begun_is_planned_once_its_redis_has_ended(three: CLI, tmp_path: Path) -> None:
    """Nothing of a `producer run` that was ended is on its way any more."""
    write_jsonl(three.folder / "in.jsonl", [row(f"{n}.png", "Make it red.") for n in range(5)])
    three(*SUBMIT)
    planned = three("run", *SUBMIT[1:], "--dry-run").stdout
    assert planned == "Plan: nothing to edit; left alone: 3 finished and 2 on their way.\n"
    with Ledger(three.folder / "r") as ledger:
        ledger.put("broker", f"redis+socket://{tmp_path}/none.sock")
    gone = three("run", *SUBMIT[1:], "--dry-run").stdout
    assert gone == "Plan: 2 rows to edit (2 that are not done yet); left alone: 3 finished.\n"


def test_what_was_cancelled_is_planned_as_it_will_be_done(three: CLI) -> None:
    """With `--dry-run` and without: workers drop a cancelled run's rows, so that none is on its way."""
    write_jsonl(three.folder / "in.jsonl", [row(f"{n}.png", "Make it red.") for n in range(5)])
    three(*SUBMIT)
    assert three("cancel", "r").returncode == 0
    plan = "Plan: 2 rows to edit (2 that are not done yet); left alone: 3 finished.\n"
    assert three(*SUBMIT, "--dry-run").stdout == plan
    assert three(*SUBMIT).stderr.startswith(plan)


def test_a_stream_can_be_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input has a plan like a file."""
    line = json.dumps(row("0.png", "x"))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["submit", "-", "--run-dir", "r", "--dry-run", "--model", "demo"], input=line)
    assert done.stdout == "Plan: 1 row to edit (1 new).\n"
    assert list(tmp_path.iterdir()) == []


def test_a_machine_that_cannot_edit_costs_nothing(three: CLI, redis_url: str) -> None:
    """Where no worker comes to be ready, `run` ends with its own sentence, and finished rows are still finished."""
    before = remembered(three)
    Image.new("RGB", (8, 8)).save(three.folder / "0.png")  # else no worker would be started
    broken = CLI(three.folder, {**three.settings, "hf_model_name_or_path": str(three.folder / "no-weights")})
    ended = broken("run", *SUBMIT[1:], "--model", "FLUX-Kontext", "--redo")
    assert ended.returncode == 1
    assert "Error: The worker cpu0 ended (exit code 1): " in ended.stderr
    assert "no-weights" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert remembered(three) == before
    assert lose(redis_url, 9) == []
