"""What `producer run` gives to the workers that it starts, and how it stops them."""

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from producer.collecting.progress import Status
from producer.local.started import StartedWorker
from producer.local.workers import LocalWorkers, environment
from worker.contract.errors import RunError
from worker.settings.fleet import load_settings


def environments() -> list[dict[str, str]]:
    """Return the environments of the processes that this one has started, in the order of their start."""
    listed = ["/bin/ps", "-ww", "--ppid", str(os.getpid()), "-o", "pid=", "-o", "args=", "--sort", "pid"]
    lines = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.splitlines()
    pids = [line.split()[0] for line in lines if " -A worker worker " in line]
    texts = [Path(f"/proc/{pid}/environ").read_text().split("\0") for pid in pids]
    return [dict(entry.partition("=")[::2] for entry in text) for text in texts]


def interrupted(folder: Path, say: Callable[[str], None]) -> list[int | None]:
    """Press Ctrl-C while two workers start; return how they ended."""
    settings = load_settings(diffuser_model_name="demo")
    with suppress(KeyboardInterrupt), LocalWorkers(settings, folder, ["", ""], say) as workers:
        workers.start()
        raise KeyboardInterrupt
    return [worker.process.returncode for worker in workers._workers]  # noqa: SLF001 - they are gone, and so is their PID


def test_whoever_stops_them_is_told_so(tmp_path: Path) -> None:
    """At once, and once; they are told to stop, and have ended."""
    said: list[str] = []
    assert interrupted(tmp_path, said.append) == [-signal.SIGTERM] * 2
    (sentence,) = said
    assert sentence.startswith("Stopping: what is on the GPU is finished first, ")
    assert sentence.endswith("; Ctrl-C again does not wait.")


def test_a_second_interrupt_does_not_wait(tmp_path: Path) -> None:
    """They are killed, whatever they are at work on."""

    def again(_: str) -> None:
        raise KeyboardInterrupt

    assert interrupted(tmp_path, again) == [-signal.SIGKILL] * 2


def test_workers_that_stop_at_the_end_are_no_news(tmp_path: Path) -> None:
    """Nobody waits for a batch there."""
    said: list[str] = []
    with LocalWorkers(load_settings(diffuser_model_name="demo"), tmp_path, [""], said.append) as workers:
        workers.start()
    assert said == []


def ended(folder: Path, *logs: str) -> LocalWorkers:
    """Return workers that were started, have written these logs, and have ended with 0."""
    workers = LocalWorkers(load_settings(diffuser_model_name="demo"), folder, [], print)
    for number, text in enumerate(logs):
        log = folder / f"worker-cpu{number}.log"
        log.write_text(text)
        process = subprocess.Popen(["/bin/true"])
        process.wait()
        workers._workers.append(  # noqa: SLF001
            StartedWorker(number=number, name=f"cpu{number}", device="", log=log, begin=0, process=process, again=False)
        )
    return workers


def status(answered: int) -> Status:
    """Return the counts of a run with rows that are left."""
    return Status(total=9, done=answered, failed=0, waiting=9 - answered, rows_per_s=0.0)


DRAINED = "x] cpu0@h ready.\nx] drained: no row is in hand any more; the worker ends\n"


def test_a_drained_worker_is_not_started_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said, and what it has answered last is collected; then the command ends, since rows are left."""
    workers = ended(tmp_path, DRAINED, DRAINED)
    workers.check(status(3))
    assert capsys.readouterr().out.splitlines() == [
        f"The worker cpu{number} was drained, and is not started again." for number in range(2)
    ]
    workers.check(status(5))
    with pytest.raises(RunError, match=r"^Every worker of this command was drained, and rows are left;"):
        workers.check(status(5))
    workers.start()
    assert environments() == []


def test_a_worker_that_ends_otherwise_is_started_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that was ready, and whom nobody has drained, is started again, whatever its exit code."""
    with ended(tmp_path, "x] cpu0@h ready.\n") as workers:
        workers.check(status(3))
        assert "The worker cpu0 ended (exit code 0) and is started again" in capsys.readouterr().out
        assert len(environments()) == 1


def test_each_worker_has_a_port_of_its_own(tmp_path: Path) -> None:
    """The first has the port that was set, the others those after it; whoever sets none opens none."""
    settings = load_settings(diffuser_model_name="demo", metrics_port=9821)
    with LocalWorkers(settings, tmp_path, ["", ""], print) as workers:
        workers.start()
        assert [found["FLEET_METRICS_PORT"] for found in environments()] == ["9821", "9822"]
    with LocalWorkers(load_settings(diffuser_model_name="demo"), tmp_path, [""], print) as workers:
        workers.start()
        assert ["FLEET_METRICS_PORT" in found for found in environments()] == [False]


def test_a_runs_loras_are_no_matter_of_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """They read the same settings, whatever a path holds; rows say which LoRAs they want."""
    settings = load_settings(diffuser_model_name="demo", lora=["/a,b.safetensors", "o/c"], batch_size=2)
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings.model_copy(update={"lora": None})


def test_hosts_and_roots_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hosts that `--allow-urls` names, and roots in a store, are their workers' own."""
    given = {"allow_urls": "a.example, b.example:8443", "input_root": "s3://bucket/in", "output_root": "/runs"}
    settings = load_settings(diffuser_model_name="demo", **given)
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings
