"""`producer run`: the whole job on one machine, with everything started and stopped by itself."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.forked import Forked
from tests.support.pictures import PHOTOS, photo
from tests.support.waiting import wait_until
from tests.support.workers import environment
from worker.contract.messages import queue_name

EXAMPLES = PHOTOS.parent / "edits.jsonl"


def children(process: Forked) -> dict[str, int]:
    """Return the processes that a command has started, by the names of their logs."""
    command = ["/bin/ps", "--ppid", str(process.pid), "-o", "pid="]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    # But for what forks them here: it says what it says where the command does.
    return {name: int(pid) for pid in found if (name := log_of(pid)) != log_of(process.pid)}


def log_of(pid: int | str) -> str:
    """Return the name of the file into which a process writes."""
    return Path(f"/proc/{pid}/fd/1").readlink().name


def forked(folder: Path, command: tuple[object, ...], said: str, **settings: object) -> Forked:
    """Begin a command, of which all that it starts is forked, too; what it says is in a file of this name."""
    return Forked(
        "producer.commands.cli:main",
        command,
        folder=folder,
        environment=environment(settings),
        stdout=folder / said,
        stderr=folder / said,
    )


def made(folder: Path) -> set[Path]:
    """Return the pictures that a run has made so far."""
    return set(folder.glob("r/sample_*/*.png"))


@pytest.fixture
def alone(tmp_path: Path) -> CLI:
    """Call `producer` with no Redis anywhere."""
    return CLI(tmp_path, {})


class Examples(NamedTuple):
    """A run of the examples that has ended."""

    cli: CLI
    command: tuple[object, ...]
    result: subprocess.CompletedProcess[str]

    @property
    def log(self) -> str:
        """What the worker has said."""
        return (self.cli.folder / "r/worker-cpu0.log").read_text()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The output's rows."""
        return read_jsonl(self.cli.folder / "r/output.jsonl")

    @property
    def pictures(self) -> list[Path]:
        """The pictures that they name."""
        return [self.cli.folder / path for fields in self.rows for path in fields["output_image"]]


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    """Edit the examples with one command."""
    cli = CLI(tmp_path_factory.mktemp("examples"), {})
    command = ("run", EXAMPLES, "--model", "demo", "--run-dir", "r", "--steps", 2)
    return Examples(cli, command, cli(*command))


def test_the_examples_are_edited(examples: Examples) -> None:
    """One command edits the examples: every row in order, and every named image opens."""
    assert examples.result.returncode == 0, examples.result.stderr
    assert examples.result.stdout == "r/output.jsonl\n"
    assert "10 rows done, 0 failed" in examples.result.stderr
    made = [{key: value for key, value in fields.items() if key != "output_image"} for fields in examples.rows]
    assert made == read_jsonl(EXAMPLES)
    assert len(examples.pictures) == 10
    for picture in examples.pictures:
        Image.open(picture).load()


def test_no_library_warns_of_what_tells_nothing(examples: Examples) -> None:
    """A worker's log is dated lines, without Celery's banner or a library's warning, whoever runs it."""
    dated = re.compile(r"\[\d{4}-\d\d-\d\d |worker: |$")
    said = examples.log.splitlines()
    assert "takes rows of demo, 27 at a time, from fleet." in said[0]
    assert [line for line in said if not dated.match(line)] == []
    assert "warning" not in examples.log.lower()


def test_what_is_done_is_not_done_again(examples: Examples) -> None:
    """The same command again leaves every picture as it is, and starts no worker."""
    before, log = {path: path.stat().st_mtime_ns for path in examples.pictures}, examples.log
    again = examples.cli(*examples.command)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in examples.pictures} == before
    assert examples.log == log


def test_the_default_run_folder_is_dataflows(alone: CLI) -> None:
    """Without --run-dir the run lives in ./cache_local/image_edit_local/<stem>, even if every row is already done."""
    write_jsonl(alone.folder / "mine.jsonl", [row("x.png", "Make it red.", output_image=["there.png"])])
    done = alone("run", "mine.jsonl", "--model", "demo")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "cache_local/image_edit_local/mine/output.jsonl\n"
    [given] = read_jsonl(alone.folder / "mine.jsonl")
    assert read_jsonl(alone.folder / done.stdout.strip()) == [{**given, "warnings": ["kept"]}]
    assert "0 rows done, 0 failed, 1 kept, 0 unanswered" in done.stderr
    assert "No row needs an edit: the only one has output_image already and is left alone" in done.stderr


def test_appended_and_edited_rows_are_done(fleet_cli: CLI) -> None:
    """The same command again does appended, edited and failed rows, and touches no other."""
    names = [photo("coffee", 300, 200, fleet_cli.folder / f"{n}.png").name for n in range(3)]
    rows = [row(names[0], "Make it red."), row(names[1], "Make it grey."), row("late.png", "Make it red.")]
    path = write_jsonl(fleet_cli.folder / "in.jsonl", rows)
    command = ("--run-dir", "r", "--steps", 2)
    assert fleet_cli("submit", path, *command).returncode == 0
    assert fleet_cli("collect", "r").returncode == 3  # late.png is not there yet
    first = {n: (fleet_cli.folder / f"r/sample_{n}/sample_{n}_0.png").read_bytes() for n in range(2)}
    photo("coffee", 300, 200, fleet_cli.folder / "late.png")
    write_jsonl(path, [rows[0], row(names[1], "Make it blue."), rows[2], row(names[2], "Make it darker.")])
    assert fleet_cli("submit", path, *command).returncode == 0
    assert fleet_cli("collect", "r").returncode == 0
    second = {n: (fleet_cli.folder / f"r/sample_{n}/sample_{n}_0.png").read_bytes() for n in range(4)}
    assert second[0] == first[0]
    assert second[1] != first[1]
    with sqlite3.connect(fleet_cli.folder / "r/run.sqlite") as ledger:
        assert ledger.execute("SELECT attempts FROM rows ORDER BY row").fetchall() == [(1,), (2,), (2,), (1,)]


def test_another_input_is_refused(fleet_cli: CLI) -> None:
    """A run folder belongs to one input; another is refused with a sentence that names the owner."""
    for name in ("one.jsonl", "two.jsonl"):
        write_jsonl(fleet_cli.folder / name, [row("x.png", "Make it red.")])
    fleet_cli("submit", "one.jsonl", "--run-dir", "r")
    refused = fleet_cli("submit", "two.jsonl", "--run-dir", "r")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"Error: The run folder r belongs to {fleet_cli.folder / 'one.jsonl'}; name another with --run-dir.\n"
    )


def test_an_interrupted_run_stops_everything_and_resumes(tmp_path: Path) -> None:
    """Ctrl-C is heard, and ends the run, its workers, its Flower and its Redis; the same command finishes the rest.

    And it is its workers' supervisor: one that was ready and ended has a successor, and it is said.
    """
    names = [photo("coffee", 300, 200, tmp_path / f"{n}.png").name for n in range(16)]
    write_jsonl(tmp_path / "in.jsonl", [row(name, "Make it red.") for name in names])
    command = ("run", "in.jsonl", "--model", "demo", "--run-dir", "r", "--steps", 2, "--size", "128x96")
    command = (*command, "--save-interval", 1)
    process = forked(tmp_path, (*command, "--flower"), "first", visibility_timeout=4)
    wait_until(lambda: made(tmp_path) or process.poll() is not None, "a first picture")
    started = children(process)
    assert started.keys() == {"redis.log", "flower.log", "worker-cpu0.log"}
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 1
    said = (tmp_path / "first").read_text()
    (url,) = re.findall(r"Flower shows every row at (\S+) until the run ends", said)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=20)  # noqa: S310 - loopback
    stopping, interrupted = said.splitlines()[-2:]
    assert stopping.startswith("Stopping: what is on the GPU is finished first, ")
    assert interrupted == "Error: Interrupted; the same command goes on where it stopped."
    assert not any(Path(f"/proc/{child}").exists() for child in started.values())
    assert not (tmp_path / "r/output.jsonl").exists()

    before = made(tmp_path)
    process = forked(tmp_path, command, "second", visibility_timeout=4)
    wait_until(lambda: made(tmp_path) != before or process.poll() is not None, "a picture more")
    os.kill(children(process)["worker-cpu0.log"], signal.SIGKILL)
    assert process.wait(120) == 0, (tmp_path / "second").read_text()
    said = (tmp_path / "second").read_text()
    assert "The worker cpu0 ended (exit code -9) and is started again: see r/worker-cpu0.log." in said
    assert "16 rows done, 0 failed" in said
    assert len(read_jsonl(tmp_path / "r/output.jsonl")) == 16


def test_a_killed_run_leaves_nothing_behind(tmp_path: Path) -> None:
    """SIGKILL ends its workers, its Flower and its Redis, too; the same command does the rest."""
    alone = CLI(tmp_path, {})
    names = [photo("coffee", 300, 200, tmp_path / f"{n}.png").name for n in range(24)]
    write_jsonl(tmp_path / "in.jsonl", [row(name, "Make it red.") for name in names])
    command = ("run", "in.jsonl", "--model", "demo", "--run-dir", "r", "--steps", 2, "--size", "128x96", "--flower")
    process = forked(tmp_path, command, "said")
    wait_until(lambda: made(tmp_path) or process.poll() is not None, "a first picture")
    started = children(process)
    assert started.keys() == {"redis.log", "flower.log", "worker-cpu0.log"}, (tmp_path / "said").read_text()
    process.kill()
    wait_until(lambda: not any(map(is_alive, started.values())), "all that it started has ended")
    done = alone(*command[:-1])
    assert done.returncode == 0, done.stderr
    assert len(read_jsonl(tmp_path / "r/output.jsonl")) == 24


def is_alive(process: int) -> bool:
    """Tell whether a process is there, and no mere exit code that nobody has asked for."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_run_on_a_named_broker_takes_over_rows_that_were_sent_before(cli: CLI) -> None:
    """Rows that an earlier command sent are unanswered: the run starts its workers for them, too."""
    photo("coffee", 300, 200, cli.folder / "a.png")
    write_jsonl(cli.folder / "in.jsonl", [row("a.png", "Make it red."), row("absent.png", "Make it red.")])
    assert cli("submit", "in.jsonl", "--run-dir", "r", "--steps", 1, "--size", "input").returncode == 0
    done = cli("run", "in.jsonl", "--run-dir", "r", "--steps", 1, "--size", "input")
    assert done.returncode == 3, done.stderr
    assert "1 row done, 1 failed" in done.stderr
    assert Image.open(cli.folder / "r/sample_0/sample_0_0.png").size == (300, 200)
    assert json.loads(cli("status", "r", "--json").stdout)["failed"] == 1


def test_bad_rows_are_errors_and_the_others_are_done(fleet_cli: CLI) -> None:
    """A missing image, no image, no JSON, no instruction: each row has its error, every other row is done, exit 3."""
    photo("coffee", 300, 200, fleet_cli.folder / "good.png")
    (fleet_cli.folder / "notes.txt").write_text("no image")
    lines = [
        row("good.png", "Make it red."),
        row("absent.png", "Make it red."),
        row("notes.txt", "Make it red."),
        "not json",
        {"images": "good.png"},
        "[1, 2]",
        row("good.png", "Make it blue."),
    ]
    write_jsonl(fleet_cli.folder / "in.jsonl", lines)
    assert fleet_cli("submit", "in.jsonl", "--run-dir", "r", "--steps", 1).returncode == 0
    collected = fleet_cli("collect", "r")
    assert collected.returncode == 3
    assert "2 rows done, 5 failed" in collected.stderr
    made = read_jsonl(fleet_cli.folder / "r/output.jsonl")
    here = fleet_cli.folder
    no_image = 'is text, not an image; a download that failed may have saved it ("no image")'
    assert [fields.get("error") for fields in made] == [
        None,
        f"line 2: image {here}/absent.png: no such file.",
        f"line 3: image {here}/notes.txt: {no_image}.",
        "line 4: is no JSON (expecting value at column 1).",
        'line 5: conversations: expected a list of turns, found no such field (there is "images").',
        "line 6: expected a JSON object, found a list.",
        None,
    ]
    assert [fields["output_image"] == [] for fields in made] == [False, True, True, True, True, True, False]
    assert next(iter(made[3].items())) == ("raw", "not json")
    assert next(iter(made[5].items())) == ("raw", "[1, 2]")


def test_images_per_row(fleet_cli: CLI) -> None:
    """With --num-images 3 each row has three different pictures of its own, also where a batch holds fewer."""
    names = [photo(name, 300, 200, fleet_cli.folder / f"{name}.png").name for name in ("coffee", "chelsea")]
    write_jsonl(fleet_cli.folder / "in.jsonl", [row(name, "Make it red.") for name in names])
    assert fleet_cli("submit", "in.jsonl", "--run-dir", "r", "--steps", 2, "--num-images", 3).returncode == 0
    assert fleet_cli("collect", "r").returncode == 0
    for number, fields in enumerate(read_jsonl(fleet_cli.folder / "r/output.jsonl")):
        assert fields["output_image"] == [f"./r/sample_{number}/sample_{number}_{index}.png" for index in range(3)]
        # Their pixels: the files differ in the seeds that they name, too.
        assert len({Image.open(fleet_cli.folder / path).tobytes() for path in fields["output_image"]}) == 3


def test_status_names_the_workers_that_are_up(fleet_cli: CLI) -> None:
    """`producer status` without a run lists each worker with its model and queue, and how busy its GPU is."""
    found = json.loads(fleet_cli("status", "--json").stdout)
    assert {name.split("@")[0] for name in found} == {"gpu0", "gpu1"}
    assert all(facts["model"] == "demo" and facts["queue"] == queue_name("demo") for facts in found.values())
    assert all(0 <= facts["busy"] <= 1 for facts in found.values())
    lines = fleet_cli("status").stdout.splitlines()
    assert len([line for line in lines if re.fullmatch(r"gpu[01]@\S+ .* \d+ %  reference .*", line)]) == 2
