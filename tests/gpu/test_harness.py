"""Each part fails alone, what was found stays, and what does not fit is left out."""

import json
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.gpu import report
from tests.gpu.catalog import PARTS, Part
from tests.gpu.harness import Begin, Harness, Process
from tests.gpu.notes import DONE, FAILED, LATE, REFUSED, read
from tests.support.forked import Forked
from tests.support.place import PROJECT
from tests.support.waiting import wait_until
from worker.models.speed.fp8 import multiplies_fp8


def forked(order: str, environment: Mapping[str, str], log: Path) -> Forked:
    """Begin a part's process, whose libraries are imported already."""
    return Forked("tests.gpu.part", [order], folder=PROJECT, environment=environment, stdout=log, stderr=log)


def harness(folder: Path, *, begin: Begin = forked, seconds: float | None = None) -> Harness:
    """Make one that is silent."""
    told = partial(str)
    return Harness(
        folder=folder, head=["a test"], tiny=True, compiled=False, gpu=False, seconds=seconds, tell=told, begin=begin
    )


def double(name: str, seconds: int = 30) -> Part:
    """Name a part that is made for a test."""
    return Part(name=name, what=f"it is {name}", seconds=seconds, module=f"tests.gpu.doubles.{name}")


def overview(folder: Path) -> dict[str, list[str]]:
    """Return the cells of the report's first table, by part."""
    lines = (folder / "report.md").read_text().split("\n## ")[0].splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return {row[0]: row[1:] for row in rows[2:]}


def test_each_part_ends_for_itself(tmp_path: Path) -> None:
    """One that fails, one that kills its process and one that cannot be done here leave the others, and say why."""
    parts = [double(name) for name in ("broken", "dead", "unable", "lacking", "fine")]
    assert not harness(tmp_path).run(parts, parts)
    rows = overview(tmp_path)
    assert {name: cells[0] for name, cells in rows.items()} == {
        "broken": FAILED,
        "dead": FAILED,
        "unable": REFUSED,
        "lacking": REFUSED,
        "fine": DONE,
    }
    assert rows["broken"][2] == "RuntimeError: CUDA error: an illegal memory access was encountered"
    assert rows["dead"][2] == "its process ended with signal 9: see dead.log"
    assert rows["unable"][2] == "needs a GPU that multiplies in fp8"
    assert rows["lacking"][2] == "needs nothing_that_is_there, which is not installed"
    assert rows["fine"][2] == "all that there is"
    found = {part.name: read(tmp_path, part.name) or {} for part in parts}
    assert [found[name]["facts"] for name in ("broken", "dead")] == [{"the first number": 1}] * 2
    assert "Compile with TORCH_USE_CUDA_DSA" in (tmp_path / "broken.log").read_text()
    assert "\n| a \\| b | 7 |\n" in (tmp_path / "report.md").read_text()


def test_one_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """Its workers have sessions of their own; what it had noted is kept."""

    class Impatient:
        def __init__(self, process: Process) -> None:
            self.pid, self.kill = process.pid, process.kill

        def wait(self, timeout: float | None = None) -> int:
            wait_until(lambda: (read(tmp_path, "endless") or {"facts": {}})["facts"], "it has started something")
            raise subprocess.TimeoutExpired("endless", timeout or 0)

    parts = [double("endless"), double("fine")]
    assert not harness(
        tmp_path, begin=lambda *how: Impatient(forked(*how)) if "endless" in how[0] else forked(*how)
    ).run(parts, parts)
    rows = overview(tmp_path)
    assert (rows["endless"][0], rows["fine"][0]) == (LATE, DONE)
    started: Any = (read(tmp_path, "endless") or {})["facts"]["started"]
    wait_until(lambda: not is_running(started), "what it had started is ended")


def is_running(pid: int) -> bool:
    """Tell whether a process runs; one that has ended may still wait for its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_there_is_no_time_for_is_left_out(tmp_path: Path) -> None:
    """A long part is passed over, one behind it that fits is done, and that is no failure."""
    parts = [double("endless", seconds=1000), double("fine", seconds=1)]
    assert harness(tmp_path, seconds=100).run(parts, parts)
    rows = overview(tmp_path)
    assert rows["endless"][0] == "no time left: it takes some 1000 s"
    assert rows["fine"][0] == DONE


def test_no_part_has_longer_than_there_is_time(tmp_path: Path) -> None:
    """Its limit is its own, or what is left of all."""
    limits: list[float] = []

    def noting(order: str, environment: Mapping[str, str], log: Path) -> Forked:
        limits.append(json.loads(order)["limit"])
        return forked(order, environment, log)

    harness(tmp_path, begin=noting, seconds=40).run([double("fine", seconds=20)], [])
    harness(tmp_path, begin=noting).run([double("fine", seconds=20)], [])
    assert 30 < limits[0] <= 40
    assert limits[1] == 70


def test_all_is_packed_into_one_file(tmp_path: Path) -> None:
    """After each part, small files alone, so that a machine that sends few files back sends what there is."""
    results, archive = tmp_path / "results", tmp_path / "all.tgz"
    results.mkdir()
    (results / "trace.json").write_bytes(b" " * 5 * 2**20)
    replace(harness(results), archive=archive).run([double("fine")], [double("fine")])
    with tarfile.open(archive) as packed:
        assert sorted(packed.getnames()) == [f"results/{name}" for name in ("fine.json", "fine.log", "report.md")]


def test_results_of_another_time_stay_in_the_report(tmp_path: Path) -> None:
    """Whoever runs one part again has the others' beside it, and its own anew."""
    parts = [double("fine"), double("unable")]
    harness(tmp_path).run(parts[:1], parts)
    harness(tmp_path).run(parts[1:], parts)
    assert {name: cells[0] for name, cells in overview(tmp_path).items()} == {"fine": DONE, "unable": REFUSED}


def test_a_part_that_has_not_begun_says_so(tmp_path: Path) -> None:
    """The report of a run that was cut off lists what is missing."""
    said = report.write(tmp_path, ["a test"], PARTS, {"card": "no time left"})
    assert "| fp8 | not begun |" in said
    assert "| card | no time left |" in said


#: Those that start workers, and those that call the bench, are rehearsed beside this.
ELSEWHERE = {"fleet", "starting", "bench", "odd", "batches"}


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the parts at their tiny size, without a compiler."""
    folder = tmp_path_factory.mktemp("rehearsed")
    parts: Sequence[Part] = [part for part in PARTS if part.name not in ELSEWHERE]
    harness(folder).run(parts, PARTS)
    return folder


@pytest.mark.parametrize("name", [part.name for part in PARTS if part.name not in ELSEWHERE])
def test_every_part_was_rehearsed(rehearsed: Path, name: str) -> None:
    """Its code has run as it will on a GPU, and found something."""
    found = read(rehearsed, name) or {}
    if name in {"compiled", "levers"}:
        assert (found["state"], found["facts"]) == (REFUSED, {})
        assert found["reason"] == "needs compiled kernels, and was called with --no-compile"
        return
    if name == "fp8" and not multiplies_fp8(torch.device("cpu")):
        assert found["state"] == REFUSED, "of CPUs torch 2.13 is the first to multiply in fp8"
        return
    assert found["state"] == DONE, (rehearsed / f"{name}.log").read_text()[-3000:]
    assert found["headline"]
    assert f"## {name}: " in (rehearsed / "report.md").read_text()
