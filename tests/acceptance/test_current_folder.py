"""What lies in the current folder is no part of the fleet, whatever it is called."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.cli import CLI, row, write_jsonl
from tests.support.pictures import photo
from tests.support.place import PROJECT
from tests.support.workers import environment
from worker.contract.messages import queue_name


@pytest.fixture
def celery(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment where this checkout's commands of Celery are known, as an installation writes them down."""
    told = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["entry-points"]["celery.commands"]
    folder = tmp_path_factory.mktemp("installed")
    known = folder / "checkout-0.dist-info"
    known.mkdir()
    (known / "METADATA").write_text("Metadata-Version: 2.1\nName: checkout\nVersion: 0\n")
    (known / "entry_points.txt").write_text(
        "[celery.commands]\n" + "".join(f"{name} = {where}\n" for name, where in told.items())
    )
    return {**environment({}), "PYTHONPATH": f"{PROJECT}{os.pathsep}{folder}"}


@pytest.mark.parametrize(
    ("name", "is_told"), [("worker.py", True), ("worker/__init__.py", True), ("worker/notes.txt", False)]
)
def test_celery_takes_the_fleets_worker(celery: dict[str, str], tmp_path: Path, name: str, *, is_told: bool) -> None:
    """And says what it passes over."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("raise SystemExit('not the fleet')\n")
    command = [Path(sys.executable).with_name("celery"), "-A", "worker", "report"]
    done = subprocess.run(command, cwd=tmp_path, env=celery, capture_output=True, text=True, timeout=60, check=True)
    assert f"task_default_queue: '{queue_name('demo')}'" in done.stdout
    told = f"{path} is passed over: -A worker names the fleet's, {PROJECT}/worker.\n"
    assert done.stderr == (told if is_told else "")


def test_a_run_starts_the_fleets_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are ours, with the real torch: the one that starts says, as ours does, what it lacks."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (tmp_path / "worker.py").write_text("raise SystemExit('not the fleet')\n")
    (tmp_path / "torch.py").write_text("raise SystemExit('not torch')\n")
    write_jsonl(tmp_path / "in.jsonl", [row(photo("coffee", 64, 64, tmp_path / "x.png").name, "Make it red.")])
    # As a user starts it: a worker that was forked would have imported ours before.
    process = CLI(tmp_path, {}).begin("run", "in.jsonl", "--model", "FLUX-Kontext", "--run-dir", "r")
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "The worker cpu0 ended (exit code 1): FLUX-Kontext needs a CUDA GPU" in stderr
