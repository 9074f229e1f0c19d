"""The Python interface: `from producer import Fleet`, on this machine and with a fleet elsewhere."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from producer import (
    AsyncFleet,
    Fleet,
    FleetError,
    Result,
    RowsError,
    Run,
    RunCancelled,
    RunError,
    RunInUse,
    RunStopped,
    SettingsError,
    Status,
)
from tests.conftest import Fleet as Running
from tests.conftest import Start
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.pictures import photo
from tests.support.waiting import wait_until
from tests.support.workers import environment

SMALL: dict[str, Any] = {"model": "demo", "steps": 1, "size": "64x64", "metadata": False}


def of(rows: list[Result]) -> list[tuple[int, str]]:
    """Return rows' numbers and states, in the order of their numbers."""
    return sorted((found.row, found.state) for found in rows)


@pytest.fixture
def image(tmp_path: Path) -> str:
    """Make a picture, and return its path."""
    return str(photo("coffee", 90, 60, tmp_path / "cup.png"))


@pytest.fixture
def elsewhere(passthrough: Running) -> Iterator[Fleet]:
    """Use the fleet of a worker that edits nothing, as a program on another machine does."""
    with Fleet(str(passthrough.settings["broker_url"]), **SMALL) as fleet:
        yield fleet


def test_rows_are_edited_on_this_machine(tmp_path: Path, image: str) -> None:
    """Lists and tables are edited by a worker that stays up from run to run, and nothing is left of it at the end.

    Rows come with what became of them, under the numbers that they were given; pictures in memory are taken.
    """
    seen: list[Status] = []
    rows = [
        row(image, "Make it red."),
        row("absent.png", "Make it red."),
        row(image, "Mirror it.", output_image="a.png"),
    ]
    with Fleet(workers=1, progress=seen.append, **SMALL) as fleet:
        run = fleet.edit(rows, run_dir=tmp_path / "list", numbers=[7, 3, 1000])
        assert of([*run]) == [(3, "failed"), (7, "done"), (1000, "kept")]
        red, absent, kept = run.in_order()
        assert [path.relative_to(tmp_path) for path in red.paths] == [Path("list/sample_7/sample_7_0.png")]
        assert Image.open(red.paths[0]).size == (64, 64)
        assert red.seconds["model"] > 0
        assert absent.error is not None
        assert "absent.png" in absent.error
        assert kept.paths == (Path("a.png"),)
        assert kept.warnings == ("kept",)
        summary = run.wait()
        assert (summary.done, summary.failed, summary.kept) == (1, 1, 1)
        assert [fields["images"] for fields in read_jsonl(summary.output)] == [image, "absent.png", image]
        assert seen[-1].answered == seen[-1].total == 3

        [worker] = fleet.workers()
        frame = pd.DataFrame({"picture": [Image.open(image)], "text": ["Make it blue."], "more": [1.5]})
        table = fleet.edit(frame, run_dir=tmp_path / "table", input_image_key="picture", input_conversation_key="text")
        assert of([*table]) == [(0, "done")]
        assert [*fleet.workers()] == [worker]
        assert read_jsonl(table.wait().output)[0]["more"] == 1.5
        started = children()
    assert started
    assert not any(Path(f"/proc/{child}").exists() for child in started)
    assert "ready." in (tmp_path / "list/worker-cpu0.log").read_text()
    assert not (tmp_path / "table/worker-cpu0.log").exists()


def children() -> list[int]:
    """Return the processes of Redis and of workers that this one has started."""
    listed = subprocess.run(
        ["/bin/ps", "--ppid", str(os.getpid()), "-o", "pid=,args="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [int(line.split()[0]) for line in listed if "celery" in line or "worker" in line or "redis.sock" in line]


def test_the_same_again_does_what_is_left(elsewhere: Fleet, tmp_path: Path, image: str) -> None:
    """Finished rows are not edited again, a new one is; all of them are results, earlier ones, too."""
    rows = [row(image, "Make it red."), row(image, "Mirror it.")]
    assert of([*elsewhere.edit(rows, run_dir=tmp_path / "r")]) == [(0, "done"), (1, "done")]
    before = (tmp_path / "r/sample_0/sample_0_0.png").stat().st_mtime_ns
    again = elsewhere.edit([*rows, row(image, "Blur it.")], run_dir=tmp_path / "r")
    assert [found.row for found in again.in_order()] == [0, 1, 2]
    assert (tmp_path / "r/sample_0/sample_0_0.png").stat().st_mtime_ns == before


def test_a_file_is_rows_and_commands_go_on_with_its_run(
    elsewhere: Fleet, passthrough: Running, tmp_path: Path, image: str
) -> None:
    """A jsonl's path is as good as rows; `producer submit` finds its run finished."""
    write_jsonl(tmp_path / "in.jsonl", [row(image, "Make it red.")])
    assert elsewhere.edit(tmp_path / "in.jsonl", run_dir=tmp_path / "r", seed=5).wait().done == 1
    again = passthrough.cli(tmp_path)(
        "submit", "in.jsonl", "--run-dir", "r", "--seed", 5, "--steps", 1, "--size", "64x64"
    )
    assert "nothing to edit" in again.stderr or "1 row" in again.stderr
    assert again.returncode in {0, 2}


def test_options_that_would_lose_work_need_a_yes(elsewhere: Fleet, tmp_path: Path, image: str) -> None:
    """Another seed is refused where rows are finished, unless it is meant."""
    rows = [row(image, "Make it red.")]
    elsewhere.edit(rows, run_dir=tmp_path / "r").wait()
    with pytest.raises(RunError, match=r"1 row that is finished would be edited again, because --seed was 0, is 1"):
        elsewhere.edit(rows, run_dir=tmp_path / "r", seed=1)
    assert elsewhere.edit(rows, run_dir=tmp_path / "r", seed=1, redo=True).wait().done == 1


def test_a_run_is_attached_to(elsewhere: Fleet, tmp_path: Path, image: str) -> None:
    """Rows that were submitted are collected by whoever attaches to their folder, and failed ones can be sent again."""
    rows = [row(image, "Make it red."), row(str(tmp_path / "late.png"), "Mirror it.")]
    sent = elsewhere.submit(rows, run_dir=tmp_path / "r")
    assert sent.status().total == 2
    run = elsewhere.attach(tmp_path / "r")
    assert of([*run]) == [(0, "done"), (1, "failed")]
    photo("coffee", 30, 30, tmp_path / "late.png")
    assert of([*run.retry()]) == [(0, "done"), (1, "done")]


def test_two_runs_go_on_at_once(elsewhere: Fleet, tmp_path: Path, image: str) -> None:
    """One process may have several runs open, each with its own results."""
    runs = [elsewhere.edit([row(image, "Make it red.")] * 4, run_dir=tmp_path / name) for name in "ab"]
    assert [len([*run]) for run in runs] == [4, 4]


def test_a_run_is_waited_for_cancelled_and_stopped(
    start: Start, redis_url: str, tmp_path: Path, image: str, gate: Path
) -> None:
    """Waiting ends after its time, a cancelled run says so, a stopped one goes on later; one folder has one owner."""
    start(app="tests.support.passthrough", passthrough_gate=gate).wait_until_ready()
    rows = [row(image, "Make it red.")] * 3
    with Fleet(redis_url, **SMALL) as fleet:
        run = fleet.edit(rows, run_dir=tmp_path / "r")
        with pytest.raises(TimeoutError, match=r"goes on after 0\.01 s"):
            run.wait(timeout=0.01)
        with pytest.raises(RunInUse, match=r"is in use by `producer.Fleet.edit`, process \d+ on"):
            fleet.edit(rows, run_dir=tmp_path / "r")
        run.stop()
        with pytest.raises(RunStopped, match="the same again goes on where it stopped"):
            run.wait()
        again = fleet.edit(rows, run_dir=tmp_path / "r")
        assert "is cancelled" in again.cancel()
        with pytest.raises(RunCancelled):
            again.wait()
        gate.touch()
        assert fleet.edit(rows, run_dir=tmp_path / "r").wait().done == 3


def test_a_folder_in_use_is_waited_for(start: Start, redis_url: str, tmp_path: Path, image: str, gate: Path) -> None:
    """With `wait=True` a second program has the folder once the first has ended, and finds its work done."""
    start(app="tests.support.passthrough", passthrough_gate=gate).wait_until_ready()
    rows, said = [row(image, "Make it red.")], []
    with Fleet(redis_url, **SMALL) as first, Fleet(redis_url, say=said.append, **SMALL) as second:
        run = first.edit(rows, run_dir=tmp_path / "r")
        waiting = second.attach(tmp_path / "r", wait=True).start()
        wait_until(lambda: any("waiting for it" in sentence for sentence in said), "the second waits")
        gate.touch()
        assert run.wait().done == waiting.wait().done == 1


def test_an_exception_stops_what_was_begun(
    start: Start, redis_url: str, tmp_path: Path, image: str, gate: Path
) -> None:
    """Where the block ends by an exception, or a notebook's interrupt, its runs are stopped, and not waited for."""
    start(app="tests.support.passthrough", passthrough_gate=gate).wait_until_ready()
    runs: list[Run] = []

    def interrupted() -> None:
        with Fleet(redis_url, **SMALL) as fleet:
            runs.append(fleet.edit([row(image, "Make it red.")], run_dir=tmp_path / "r"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert runs[0].done
    with pytest.raises(RunStopped):
        runs[0].wait()


def test_a_failure_that_nobody_has_heard_of_is_raised_at_the_end(
    elsewhere: Fleet, passthrough: Running, tmp_path: Path
) -> None:
    """A run that nobody waits for is waited for at the end of the block, and says there what has ended it."""
    rows = [{"images": "a.png"}] * 3

    def edited() -> None:
        with Fleet(str(passthrough.settings["broker_url"]), **SMALL) as fleet:
            fleet.edit(rows, run_dir=tmp_path / "r", max_failed=1)

    with pytest.raises(RunError, match=r"is ended: 3 rows have failed, more than max_failed = 1 allows"):
        edited()
    assert of([*elsewhere.edit(rows, run_dir=tmp_path / "r")]) == [(0, "failed"), (1, "failed"), (2, "failed")]


def test_a_closed_fleet_says_so(tmp_path: Path) -> None:
    """After its block a fleet takes nothing more."""
    with Fleet(**SMALL) as fleet:
        pass
    with pytest.raises(RunError, match="This Fleet is closed"):
        fleet.edit([], run_dir=tmp_path / "r")


def test_a_killed_program_leaves_nothing_behind(tmp_path: Path, image: str) -> None:
    """SIGKILL of a program ends the Redis and the workers that it has started; that of the thread that did does not."""
    program = (
        "import sys, threading\nfrom producer import Fleet\n"
        "runs = []\n"
        "def begin():\n"
        "    fleet = Fleet(workers=1, model='demo', say=lambda sentence: print(sentence, flush=True))\n"
        "    rows = [{'images': sys.argv[1], 'conversations': 'Make it red.'}] * 99\n"
        "    runs.append(fleet.edit(rows, run_dir='r', steps=9, size='128x96'))\n"
        "    next(iter(runs[0]))\n"
        "thread = threading.Thread(target=begin)\n"
        "thread.start()\n"
        "thread.join()\n"
        "print('one is there', flush=True)\n"
        "runs[0].wait()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, image], cwd=tmp_path, env=environment({}), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = [next(process.stdout)]
        while "one is there" not in said[-1]:
            said.append(next(process.stdout))
        command = ["/bin/ps", "--ppid", str(process.pid), "-o", "pid="]
        started = [*map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())]
        assert len(started) == 2  # Redis and the worker
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(Path(f"/proc/{child}").exists() for child in started), "all have ended")
    assert CLI(tmp_path, {})("status", "r", "--json").returncode == 0


def test_a_run_is_cancelled_before_its_first_row(elsewhere: Fleet, tmp_path: Path, image: str) -> None:
    """Whoever cancels at once cancels, also where the folder remembers nothing yet; the same again takes it up."""
    rows = [row(image, "Make it red.")] * 2
    run = elsewhere.edit(rows, run_dir=tmp_path / "r")
    said = run.cancel()
    if "is cancelled" in said:  # unless its rows were quicker
        with pytest.raises(RunCancelled):
            run.wait()
    assert elsewhere.edit(rows, run_dir=tmp_path / "r").wait().done == 2


def test_a_retry_is_waited_for_like_the_run(passthrough: Running, elsewhere: Fleet, tmp_path: Path, image: str) -> None:
    """Also where another run was begun since; one that is refused leaves the run as it was."""
    with Fleet(str(passthrough.settings["broker_url"]), **SMALL) as fleet:
        run = fleet.edit([row(str(tmp_path / "late.png"), "Mirror it.")], run_dir=tmp_path / "r")
        assert run.wait().failed == 1
        with pytest.raises(SettingsError, match=r"^which is one of failed, unanswered, all; found 'fail'\.$"):
            run.retry("fail")  # type: ignore[arg-type]
        assert run.wait(timeout=5).failed == 1
        fleet.edit([row(image, "Make it red.")], run_dir=tmp_path / "other").wait()
        photo("coffee", 30, 30, tmp_path / "late.png")
        run.retry()
    assert run.done
    assert of([*elsewhere.attach(tmp_path / "r")]) == [(0, "done")]
    with pytest.raises(RunError, match="This Fleet is closed"):
        run.retry()
    assert run.wait(timeout=5).done == 1


def test_an_answer_to_what_a_row_was_is_no_result(elsewhere: Fleet, tmp_path: Path, image: str) -> None:
    """A row that was changed after it was sent comes once, with what became of it as it is now."""
    sent = elsewhere.submit([row(image, "Make it red.")], run_dir=tmp_path / "r")
    wait_until(lambda: sent.status().done == 1, "its answer waits to be collected")
    run = elsewhere.edit([row(image, "Make it blue.")], run_dir=tmp_path / "r", num_images=2, redo=True)
    assert [len(result.paths) for result in run] == [2]
    assert [len(result.paths) for result in run.in_order()] == [2]


def test_workers_that_cannot_start_end_every_run_that_waits_for_them(tmp_path: Path, image: str) -> None:
    """Two runs share one worker; where it ends instead of being ready, both say why, and the next tries anew."""
    rows = [row(image, "Make it red.")]
    with Fleet(workers=1, model="FLUX-Kontext", hf_model_name_or_path=str(tmp_path)) as fleet:
        runs = [fleet.edit(rows, run_dir=tmp_path / name) for name in "ab"]
        for run in runs:
            with pytest.raises(RunError, match=r"The worker cpu0 ended \(exit code 1\): "):
                run.wait()
        assert not fleet.workers(0.5)


def test_what_waits_can_be_awaited(passthrough: Running, tmp_path: Path, image: str) -> None:
    """The same from asyncio: results come while the event loop goes on with other things."""

    async def edited() -> tuple[list[Result], list[int], int]:
        async with AsyncFleet(str(passthrough.settings["broker_url"]), **SMALL) as fleet:
            run = await fleet.edit([row(image, "Make it red.")] * 3, run_dir=tmp_path / "r")
            status = asyncio.create_task(run.status())
            found = [result async for result in run]
            return found, [result.row async for result in run.in_order()], (await status).total

    found, in_order, total = asyncio.run(edited())
    assert of(found) == [(0, "done"), (1, "done"), (2, "done")]
    assert in_order == [0, 1, 2]
    assert total == 3


def wrong(fleet: Fleet, folder: Path, rows: Any = None, **given: Any) -> str:
    """Edit with something wrong; return what is said."""
    with pytest.raises(FleetError) as error:
        fleet.edit([row("a.png", "Red.")] if rows is None else rows, **{"run_dir": folder / "r", **given})
    assert type(error.value) in {SettingsError, RowsError, RunError}
    return str(error.value)


def test_what_is_wrong_is_said_at_once(elsewhere: Fleet, tmp_path: Path) -> None:
    """Wrong types and values raise one sentence, before anything is changed."""
    assert wrong(elsewhere, tmp_path, stepps=3) == "There is no parameter stepps; did you mean steps?"
    assert wrong(elsewhere, tmp_path, steps=0).startswith("steps / FLEET_DIFFUSER_NUM_INFERENCE_STEPS: ")
    assert "found" in wrong(elsewhere, tmp_path, rows=7)
    assert "row 1" in wrong(elsewhere, tmp_path, rows=[row("a.png", "Red."), 7])
    assert wrong(elsewhere, tmp_path, rows=[]) == "There are no rows."
    assert wrong(elsewhere, tmp_path, rows=tmp_path / "no.jsonl") == f"There is no file {tmp_path}/no.jsonl."
    assert wrong(elsewhere, tmp_path, rows="s3://b/x.jsonl?sig=1").startswith("s3://b/x.jsonl is a URL; bring the file")
    assert wrong(elsewhere, tmp_path, max_failed="many").startswith("max_failed takes a number of rows")
    assert "run_dir" in wrong(elsewhere, tmp_path, run_dir=None)
    assert not (tmp_path / "r/run.sqlite").exists()
    for workers in (-1, 0, True, [1], "two"):
        with pytest.raises(SettingsError, match=r'^workers is a positive number or "auto"; found '):
            Fleet(workers=workers)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="progress is"):
        Fleet(progress=3)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="Only a fleet elsewhere"), Fleet() as here:
        here.submit([row("a.png", "Red.")], run_dir=tmp_path / "r")
    with pytest.raises(RunError, match="holds no run"):
        elsewhere.attach(tmp_path)


@pytest.mark.parametrize("error", [LookupError, FileNotFoundError])
def test_a_generator_s_own_error_comes_through(elsewhere: Fleet, tmp_path: Path, error: type[Exception]) -> None:
    """What the rows' own source raises is raised as it is, and nothing is begun."""

    def rows() -> Iterator[dict[str, Any]]:
        yield row("a.png", "Red.")
        raise error("mine")

    with pytest.raises(error, match="mine"):
        elsewhere.edit(rows(), run_dir=tmp_path / "r")
    assert not [path for path in (tmp_path / "r").iterdir() if path.name != "run.lock"]


def test_importing_it_is_light() -> None:
    """The interface needs neither torch nor pandas, and importing the package imports nothing of it."""
    program = (
        "import json, sys; import producer; first = [name for name in sys.modules if name.startswith('producer.')]\n"
        "from producer import AsyncFleet, Fleet\n"
        "print(json.dumps([first, [*sys.modules]]))"
    )
    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    before, after = json.loads(seen)
    assert before == []
    assert not {"torch", "pandas", "pyarrow", "diffusers", "numpy"} & {*after}
