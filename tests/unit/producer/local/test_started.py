"""What a worker does that was started here is read from its log."""

import subprocess
from pathlib import Path

import pytest

from producer.local.started import StartedWorker

GREETING = (
    "[2026-11-27 08:36: INFO/MainProcess] cpu0@h, bulk-image-editor 1: takes rows of demo, 27 at a time, from q\n"
)


@pytest.mark.parametrize(
    ("log", "doing"),
    [
        ("", "starting"),
        (GREETING, "loading libraries"),
        (
            f"{GREETING}[2026-11-27 08:36:31: INFO/MainProcess] weights: 3 GB of 24 GB loaded\n",
            "weights: 3 GB of 24 GB loaded",
        ),
    ],
    ids=["nothing", "greeting", "weights"],
)
def test_whoever_waits_reads_what_a_worker_does(tmp_path: Path, log: str, doing: str) -> None:
    """Its newest line; its greeting, after which it is silent for as long as torch is imported, is none."""
    path = tmp_path / "worker.log"
    path.write_text(log)
    with subprocess.Popen(["/bin/true"]) as process:
        worker = StartedWorker(number=0, name="cpu0", device="", log=path, begin=0, process=process, again=False)
        assert worker.doing == doing
