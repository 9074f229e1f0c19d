"""`python -m worker.bench`: what it prints, and how it ends."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from tests.support.forked import run_forked
from tests.support.place import PROJECT
from worker.bench.__main__ import main
from worker.bench.plain import images_of_plain
from worker.bench.sizes import FAMILIES, size_of

#: What is done soonest: one shape and nothing to compile.
QUICK = ("--size", "tiny", "--no-compile", "--profiles", "reference,fast", "--batch", "1", "--resolutions", "256x256")


def bench(*options: object) -> subprocess.CompletedProcess[str]:
    """Start the bench, and wait for its end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLEET_")}
    return run_forked("worker.bench", options, folder=PROJECT, environment=environment, limit=200)


@pytest.fixture
def torch_as_it_was() -> Iterator[None]:
    """Give torch its threads back: the bench takes a core less."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go where the photographs are."""
    monkeypatch.chdir(PROJECT)


def test_the_tiny_size_is_measured_on_a_cpu(tmp_path: Path) -> None:
    """Every table has its rows: plain diffusers first, then the profiles, their whole calls and their fidelity."""
    done = bench(*QUICK, "--rounds", 1, "--output", tmp_path / "all.json")
    assert done.returncode == 0, done.stderr
    assert "not measured" not in done.stdout
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    fast = "fast, not compiled"
    assert [row[:3] for row in rows if row[1] == "256x256"] == [
        ["plain diffusers", "256x256", "4"],
        ["reference", "256x256", "1"],
        [fast, "256x256", "1"],
    ]
    assert [row[:3] for row in rows if row[1].endswith("of 8")] == [
        ["reference", "8 of 8", "1"],
        [fast, "6 of 8", "5"],
    ]
    assert [row[:2] for row in rows if row[1] == "reference"] == [[fast, "reference"]]
    assert [len(one["whole"]) for one in json.loads((tmp_path / "all.json").read_text())["profiles"]] == [0, 1, 5]


def test_what_there_is_no_time_for_is_not_measured() -> None:
    """Where the limit is over, every row is printed as not measured, and that is no error."""
    done = bench(*QUICK, "--limit", 0)
    assert done.returncode == 0, done.stderr
    assert "| reference | 256x256 | 1 | not measured |" in done.stdout


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (("--profiles", "faster"), 2, "there is no profile faster; there are reference, exact, fast."),
        (("--resolutions", "1000x1000"), 2, "1000x1000 is no width and height in multiples of 16"),
        (("--family", "kontxt"), 2, "'kontxt' is not one of 'kontext', 'klein'"),
        (("--batch", "3"), 2, "3 is none of 1, 2, 4, 8, ..."),
        pytest.param(
            ("--size", "full"),
            1,
            "needs a CUDA GPU",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU"),
        ),
        (("--size", "tiny", "--photos", "worker"), 2, "worker holds no picture."),
        (("--size", "tiny", "--checkpoint", "examples"), 1, "holds no diffusers model"),
        (
            ("--size", "tiny", "--family", "klein", "--checkpoint", "worker/models/demo/checkpoint"),
            1,
            "holds a FLUX-Kontext; ",
        ),
        (("--size", "tiny", "--output", "/no/such/folder/all.json"), 1, "(No such file or directory)"),
    ],
)
@pytest.mark.usefixtures("torch_as_it_was", "in_the_checkout")
def test_wrong_use_is_one_sentence(options: tuple[str, ...], code: int, sentence: str) -> None:
    """What is wrong is said before anything is measured."""
    done = CliRunner().invoke(main, options)
    assert (done.exit_code, done.stdout) == (code, "")
    assert sentence in done.stderr.splitlines()[-1]


def test_a_profile_that_breaks_off_leaves_the_others() -> None:
    """An attention backend that is not there costs its own rows, a sentence and the exit code."""
    done = bench(*QUICK, "--rounds", 1, "--attention", "native,_flash_3", "--profiles", "reference")
    assert done.returncode == 1
    assert "| reference, _flash_3 | 256x256 | 1 | not measured |" in done.stdout
    assert re.search(r"^\| reference, native \| 256x256 \| 1 \| \d", done.stdout, re.MULTILINE)
    assert "- reference, _flash_3: FLEET_ATTENTION=_flash_3 cannot be used here" in done.stdout


@pytest.mark.parametrize(
    "family",
    [
        pytest.param(family, marks=[] if family == "klein" else [pytest.mark.thorough])
        for family in FAMILIES
        if family != "kontext"
    ],
)
def test_every_family_is_measured(family: str) -> None:
    """Tiny, on a CPU: the model by its name, beside plain diffusers where that is known, and images per hour."""
    done = bench("--family", family, *QUICK, "--rounds", 1, "--profiles", "reference")
    assert done.returncode == 0, done.stderr
    assert f"- model: {size_of(family, 'tiny').spec.name}\n" in done.stdout
    plain = [["plain diffusers", "256x256", "1"]] if images_of_plain(size_of(family, "tiny").spec) else []
    assert done.stdout.count("plain diffusers") == 2 * len(plain), "whole calls are made of profiles"
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if " | 256x256 | " in line]
    assert [row[:3] for row in rows] == [*plain, ["reference", "256x256", "1"]]
    for row in rows:
        assert float(row[5]) == pytest.approx(3600 / float(row[3]), rel=0.01)
