"""Rows that kill, a GPU that breaks or hangs, an impatient supervisor: no row is lost, and none is blamed wrongly."""

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Start
from tests.support.by_hand import waiting
from tests.support.cli import CLI, read_jsonl
from tests.support.sending import FAIL, HANG, KILL, pictures, send
from tests.support.waiting import wait_until
from tests.support.workers import WorkerProcess
from worker.contract.outcomes import open_redis

CALM = "Make it red."


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Name the file whose presence breaks the model."""
    return tmp_path / "broken"


@pytest.fixture
def collected(cli: CLI) -> Iterator[Callable[[], int | None]]:
    """Follow the run `r`; return a way to ask for the exit code, None as long as it has none."""
    processes = []

    def code() -> int | None:
        if not processes:
            processes.append(cli.begin("collect", "r"))
        return processes[0].poll()

    yield code
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def supervise(start: Callable[[int], WorkerProcess], until: Callable[[], object], what: str) -> list[WorkerProcess]:
    """Start a worker, and another one whenever it has ended, as a supervisor does; return all of them."""
    workers = [start(0)]

    def tend() -> bool:
        if workers[-1].process.poll() is not None:
            workers.append(start(len(workers)))
        return bool(until())

    wait_until(tend, what, limit=150)
    return workers


def errors(cli: CLI) -> dict[int, str]:
    """Return the errors of the output, by row."""
    output = read_jsonl(cli.folder / "r/output.jsonl")
    return {number: fields["error"] for number, fields in enumerate(output) if "error" in fields}


def test_a_row_that_kills_its_workers_is_the_only_error(
    cli: CLI, start_faulty: Start, collected: Callable[[], int | None], redis_url: str
) -> None:
    """Of thirty rows with one that kills, 29 are done; the one is an error after three crashes alone."""
    send(cli, [KILL if number == 11 else CALM for number in range(30)])
    workers = supervise(lambda number: start_faulty(f"w{number}"), lambda: collected() is not None, "the run has ended")
    assert collected() == 3
    assert errors(cli) == {11: "line 12: crashed its worker 3 times."}
    assert pictures(cli.folder) == sorted(f"sample_{number}_0.png" for number in range(30) if number != 11)
    # The first of them had it among others, which proves nothing.
    assert [worker.process.poll() for worker in workers] == [-signal.SIGKILL] * 4 + [None]
    assert open_redis(redis_url).keys("fleet:run:*:alone:*") == []


def test_a_broken_gpu_fails_no_row(
    cli: CLI, start_faulty: Start, broken: Path, collected: Callable[[], int | None], redis_url: str
) -> None:
    """The worker gives its rows back and exits 1; one that starts on the same GPU takes none; a sound one does all."""
    send(cli, [CALM] * 12)
    broken.touch()
    bad = start_faulty("bad", faulty_broken=broken)
    assert bad.process.wait(60) == 1
    assert bad.logged("The model fails on the built-in picture (RuntimeError: CUDA error: an illegal memory access")
    assert not bad.logged("Traceback")
    redis = open_redis(redis_url)
    assert (waiting(redis), redis.hlen("unacked")) == (12, 0)
    broken.unlink()
    worse = start_faulty("worse", faulty_broken=broken, passthrough_gate=cli.folder / "gate")
    wait_until(lambda: worse.logged("micro-batch"), "a batch is on the GPU")
    broken.touch()
    (cli.folder / "gate").touch()
    assert worse.process.wait(60) == 1
    assert worse.logged("and then on the built-in picture, too")
    start_faulty("good")
    wait_until(lambda: collected() is not None, "the run has ended")
    assert collected() == 0
    assert len(pictures(cli.folder)) == 12


def test_a_model_that_fails_one_row_after_the_other_ends_its_worker(
    cli: CLI, start_faulty: Start, redis_url: str
) -> None:
    """Where the built-in picture is edited and no other one is, few rows are failed, and the others are left."""
    send(cli, [FAIL] * 20)
    worker = start_faulty(max_failures=3)
    assert worker.process.wait(60) == 1
    assert worker.logged("The model failed on 3 rows, one after the other (ValueError: this row cannot be borne).")
    redis = open_redis(redis_url)
    (stream,) = redis.keys("fleet:run:*:outcomes")
    assert redis.xlen(stream) == 2
    assert (waiting(redis), redis.hlen("unacked")) == (18, 0)


def test_a_gpu_that_hangs_is_ended(cli: CLI, start_faulty: Start, redis_url: str) -> None:
    """The watchdog names the rows, which stay unacknowledged, gives back the others, and exits 1."""
    send(cli, [HANG] * 8)
    redis = open_redis(redis_url)
    hanging = start_faulty(batch_timeout=2, batch_wait=30)  # a full batch, however slowly they come
    assert hanging.process.wait(60) == 1
    (line,) = [line for line in hanging.lines() if "The GPU hangs" in line]
    assert len(set(re.findall(r"[0-9a-f]{16}\.(\d+)", line))) == 4
    assert (waiting(redis), redis.hlen("unacked")) == (4, 4)


def test_rows_beside_one_that_hangs_are_done(cli: CLI, start_faulty: Start) -> None:
    """Whatever the order in which they come back, a row that hangs every GPU keeps no other from being done."""
    send(cli, [HANG, *[CALM] * 7])
    supervise(
        lambda number: start_faulty(f"w{number}", batch_timeout=1),
        lambda: len(pictures(cli.folder)) == 7,
        "every row but the one that hangs is done",
    )


def test_a_hanging_gpu_is_no_rows_fault(cli: CLI, start_faulty: Start, redis_url: str) -> None:
    """A row that was on a GPU that hung, alone and again and again, has no mark against it."""
    send(cli, [HANG])
    redis = open_redis(redis_url)
    for number in range(2):
        worker = start_faulty(f"w{number}", batch_timeout=1)
        assert worker.process.wait(60) == 1
    assert redis.keys("fleet:run:*:alone:*") == []


def test_a_second_sigterm_ends_the_worker_at_once(cli: CLI, start_faulty: Start, gate: Path, redis_url: str) -> None:
    """While the batch on the GPU goes on, a second SIGTERM exits; its rows stay unacknowledged and come back."""
    send(cli, [CALM] * 8)
    worker = start_faulty(passthrough_gate=gate)
    redis = open_redis(redis_url)
    wait_until(lambda: worker.logged("micro-batch"), "a batch is on the GPU")
    worker.process.send_signal(signal.SIGTERM)
    wait_until(lambda: waiting(redis) == 4, "the waiting rows are back in the queue")
    assert worker.process.poll() is None
    # Within a second it would be the first, told twice.
    wait_until(lambda: worker.process.send_signal(signal.SIGTERM) or worker.process.poll() is not None, "it has ended")
    assert worker.process.poll() == 128 + signal.SIGTERM
    assert (waiting(redis), redis.hlen("unacked")) == (4, 4)
