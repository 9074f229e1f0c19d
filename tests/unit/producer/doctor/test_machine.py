"""What the doctor makes of the driver's and of torch's own words."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from producer.doctor.finding import Verdict
from producer.doctor.machine import gpus_found, look_at_gpus, torch_found
from worker.settings.fleet import Settings

FLUX, DEMO = Settings(), Settings(diffuser_model_name="demo")
TWO = "0, NVIDIA H100 80GB HBM3, 570.86.15, 80994, 81559\n1, NVIDIA H100 80GB HBM3, 570.86.15, 1024, 81559\n"
FACTS: dict[str, Any] = {
    "torch": "2.13.0",
    "cuda": "12.8",
    "device": "NVIDIA H100",
    "profile": "exact",
    "compiled": True,
    "lacks_compiler": None,
    "refusal": None,
}


def test_each_gpu_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its memory and its driver."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    lines = list(gpus_found(TWO, FLUX))
    assert [line.verdict for line in lines] == [Verdict.OK] * 2
    assert lines[1].found == "1: NVIDIA H100 80GB HBM3, 1.0 of 79.6 GiB are free, driver 570.86.15"


def test_hidden_gpus_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that was forgotten looks like a missing GPU."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert [line.verdict for line in gpus_found(TWO, FLUX)] == [Verdict.OK, Verdict.OK, Verdict.NOTE]


@pytest.mark.parametrize(("settings", "verdict"), [(FLUX, Verdict.BROKEN), (DEMO, Verdict.OK)])
def test_no_driver_is_broken_only_where_the_model_needs_a_gpu(
    settings: Settings, verdict: Verdict, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The demo model runs anywhere."""
    monkeypatch.setenv("PATH", str(tmp_path))
    (line,) = look_at_gpus(settings)
    assert line.verdict is verdict
    assert line.found.startswith("there is no NVIDIA driver here (no nvidia-smi)")


def test_a_driver_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By its own words: here of a program that knows the options as little as one of another driver does."""
    (tmp_path / "nvidia-smi").symlink_to(str(shutil.which("ls")))
    monkeypatch.setenv("PATH", str(tmp_path))
    (line,) = look_at_gpus(FLUX)
    assert line.verdict is Verdict.BROKEN
    assert line.found.startswith("nvidia-smi fails (nvidia-smi: ")


@pytest.mark.parametrize(
    ("facts", "verdicts"),
    [
        ({}, {"torch": Verdict.OK, "profile": Verdict.OK, "compiler": Verdict.OK}),
        ({"device": None, "refusal": "FLUX-Kontext needs a CUDA GPU."}, {"torch": Verdict.BROKEN}),
        (
            {"lacks_compiler": "a compiler (gcc)", "refusal": "FLEET_PROFILE=exact needs a compiler (gcc); …"},
            {"torch": Verdict.OK, "profile": Verdict.BROKEN},
        ),
        (
            {"lacks_compiler": "a compiler (gcc)", "compiled": False, "profile": "reference"},
            {"torch": Verdict.OK, "profile": Verdict.OK, "compiler": Verdict.OK},
        ),
    ],
)
def test_what_a_worker_would_refuse_is_broken(facts: dict[str, Any], verdicts: dict[str, Verdict]) -> None:
    """And nothing else: a compiler that no profile asks for may be missing."""
    assert {line.about: line.verdict for line in torch_found({**FACTS, **facts})} == verdicts


@pytest.mark.parametrize(
    ("cuda", "remedy"), [(None, "a build of torch with CUDA"), ("12.8", "new enough for CUDA 12.8")]
)
def test_a_gpu_that_torch_does_not_find_is_the_builds_fault_or_the_drivers(cuda: str | None, remedy: str) -> None:
    """Which of them, torch itself knows."""
    (line,) = torch_found({**FACTS, "cuda": cuda, "device": None, "refusal": "FLUX-Kontext needs a CUDA GPU."})
    assert remedy in line.as_text()
