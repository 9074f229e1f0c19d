"""One worker process: what it does before the first row, when it is told to stop, and when it cannot start."""

import signal
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Start
from tests.support.by_hand import waiting
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.forked import run_forked
from tests.support.monitor import monitor_celery
from tests.support.pictures import photo
from tests.support.place import PROJECT
from tests.support.waiting import wait_until
from tests.support.workers import environment
from worker.contract.outcomes import open_redis


def submit(cli: CLI, count: int, *options: object) -> None:
    """Send rows of one shape."""
    names = [photo("coffee", 300, 200, cli.folder / f"{number}.png").name for number in range(count)]
    write_jsonl(cli.folder / "in.jsonl", [row(name, "Make it red.") for name in names])
    done = cli("submit", "in.jsonl", "--run-dir", "r", *options)
    assert done.returncode == 0, done.stderr


def received(start_log: list[str]) -> list[str]:
    """Return the log's lines about received rows."""
    return [line for line in start_log if line.endswith("received")]


def test_the_model_is_loaded_once_before_the_first_row(cli: CLI, start: Start) -> None:
    """With rows already waiting, the log has one load line, and it stands before the first received line."""
    submit(cli, 6, "--steps", 1)
    worker = start()
    assert cli("collect", "r").returncode == 0
    lines = worker.lines()
    loaded = [number for number, line in enumerate(lines) if "model ready: demo" in line]
    first_row = lines.index(received(lines)[0])
    assert len(loaded) == 1
    assert loaded[0] < first_row
    assert worker.stop() == 0


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"diffuser_model_name": "FLUX-Kontext"}, "FLUX-Kontext needs a CUDA GPU"),
        ({"diffuser_model_name": "SDXL"}, "FLEET_DIFFUSER_MODEL_NAME: unknown model; there are FLUX-Kontext"),
        (
            {"image_gen_task": "text2image"},
            "FLEET_IMAGE_GEN_TASK: demo does imageedit, and no text2image; set it so, or ",
        ),
        ({"batch_size": 0}, "FLEET_BATCH_SIZE: input should be greater than or equal to 1 (found '0')."),
        ({"broker_url": "amqp://user:secret@host"}, "FLEET_BROKER_URL must begin with one of redis://"),
    ],
)
def test_a_worker_that_cannot_work_says_why_and_takes_no_row(
    cli: CLI, start: Start, redis_url: str, settings: dict[str, object], sentence: str
) -> None:
    """One sentence, exit code 1, no traceback, no password, and the queue is as long as before."""
    submit(cli, 3)
    worker = start(**settings)
    assert worker.process.wait(60) == 1
    log = "\n".join(worker.lines())
    assert sentence in log
    assert "Traceback" not in log
    assert "secret" not in log
    assert waiting(open_redis(redis_url)) == 3


def test_a_worker_with_a_pool_that_undoes_the_fleet_takes_no_row(cli: CLI, redis_url: str) -> None:
    """One sentence on stderr, exit code 1, before anything is loaded: the rows stay where they are."""
    submit(cli, 3)
    ended = run_forked(
        "celery",
        ["-A", "worker", "worker", "-P", "solo", "--purge"],
        folder=PROJECT,
        environment=environment(cli.settings),
        limit=60,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].partition("] ")[2].startswith("--pool is refused: ")
    assert "Traceback" not in ended.stderr
    assert waiting(open_redis(redis_url)) == 3


def test_a_worker_without_the_worker_extra_says_what_to_install(redis_url: str, tmp_path: Path) -> None:
    """Started where torch is not installed, the worker names the extra and ends with 1."""
    ended = subprocess.run(
        [monitor_celery(), "-A", "worker", "worker"],
        env={"FLEET_BROKER_URL": redis_url, "FLEET_DIFFUSER_MODEL_NAME": "demo", "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "is not installed; install the project with its worker extra: pip install '.[worker]'." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_sigterm_finishes_the_batch_and_gives_the_other_rows_back_at_once(
    cli: CLI, start_plain: Start, gate: Path, redis_url: str
) -> None:
    """Waiting rows are in the queue again before the batch on the GPU ends; none is lost, none is done twice."""
    submit(cli, 24)
    worker = start_plain(passthrough_gate=gate)
    redis = open_redis(redis_url)
    wait_until(lambda: redis.hlen("unacked") == 24, "the worker holds every row")
    wait_until(lambda: worker.logged("micro-batch"), "a batch is on the GPU")
    worker.process.send_signal(signal.SIGTERM)
    # A full batch is of 4; on a machine that decodes slowly, the first one is smaller.
    wait_until(lambda: waiting(redis) >= 20, "the waiting rows are back in the queue")
    on_gpu = redis.hlen("unacked")
    assert waiting(redis) == 24 - on_gpu
    assert worker.process.poll() is None, "it did not wait for the batch on the GPU"
    assert redis.keys("fleet:run:*:outcomes") == []
    gate.touch()
    assert worker.process.wait(60) == 0
    (stream,) = redis.keys("fleet:run:*:outcomes")
    assert redis.xlen(stream) == on_gpu
    assert (waiting(redis), redis.hlen("unacked")) == (24 - on_gpu, 0)


def test_a_living_worker_keeps_rows_that_outlast_the_visibility_timeout(cli: CLI, start_plain: Start) -> None:
    """Rows that stay in a worker for longer than the visibility timeout are not delivered a second time."""
    submit(cli, 12)
    # Three batches of 3 s. With room for 27 rows, it would take its own a second time.
    worker = start_plain(visibility_timeout=4, passthrough_seconds=3)
    collected = cli("collect", "r")
    assert collected.returncode == 0, collected.stderr
    lines = worker.lines()
    slowest = max(float(line.rpartition(" in ")[2].split("s:")[0]) for line in lines if "succeeded in" in line)
    assert slowest > 8, "no row stayed long enough to tell"
    assert len(received(lines)) == 12


def test_a_killed_workers_rows_are_done_by_another(cli: CLI, start_plain: Start, gate: Path, redis_url: str) -> None:
    """After SIGKILL a worker's rows come back and are edited; every row is answered exactly once in the output."""
    submit(cli, 8)
    first = start_plain("w0", visibility_timeout=4, passthrough_gate=gate)
    redis = open_redis(redis_url)
    wait_until(lambda: redis.hlen("unacked") == 8, "the worker holds every row")
    wait_until(lambda: first.logged("micro-batch"), "a batch is on the GPU")
    first.process.kill()
    start_plain("w1", visibility_timeout=4)
    collected = cli("collect", "r")
    assert collected.returncode == 0, collected.stderr
    assert all(len(fields["output_image"]) == 1 for fields in read_jsonl(cli.folder / "r/output.jsonl"))


def test_a_row_that_comes_twice_is_answered_without_the_gpu(cli: CLI, start_plain: Start, redis_url: str) -> None:
    """A finished row that is delivered again, with Redis emptied in between, is recognised by its files."""
    submit(cli, 4)
    worker = start_plain()
    wait_until(lambda: len(list(cli.folder.glob("r/sample_*/*_0.png"))) == 4, "every picture is there")
    wait_until(lambda: open_redis(redis_url).hlen("unacked") == 0, "every row is acknowledged")
    open_redis(redis_url).flushall()
    batches = sum("micro-batch" in line for line in worker.lines())
    assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    assert cli("collect", "r").returncode == 0
    assert len(received(worker.lines())) == 8
    assert sum("micro-batch" in line for line in worker.lines()) == batches


def test_a_full_redis_loses_no_row(cli: CLI, start_plain: Start, gate: Path, redis_url: str) -> None:
    """While Redis refuses outcomes for want of memory, rows wait unacknowledged; then they are recorded."""
    submit(cli, 2)
    worker = start_plain(passthrough_gate=gate)
    redis = open_redis(redis_url)
    wait_until(lambda: worker.logged("2 of 4 rows"), "both rows are on the GPU")
    redis.config_set("maxmemory", "1")
    gate.touch()
    wait_until(lambda: worker.logged("waits for Redis"), "an outcome is refused")
    assert redis.hlen("unacked") == 2
    redis.config_set("maxmemory", "0")
    collected = cli("collect", "r")
    assert collected.returncode == 0, collected.stderr


def test_a_worker_stops_while_redis_is_away(cli: CLI, start_plain: Start, gate: Path, redis_url: str) -> None:
    """With rows in hand and no Redis to tell, SIGTERM still ends the worker, and nothing half written is left."""
    submit(cli, 2)
    worker = start_plain(passthrough_gate=gate)
    wait_until(lambda: worker.logged("2 of 4 rows"), "both rows are on the GPU")
    open_redis(redis_url).shutdown(nosave=True)
    gate.touch()
    wait_until(lambda: worker.logged("waits for Redis"), "a row waits for Redis")
    worker.process.send_signal(signal.SIGTERM)
    wait_until(lambda: worker.process.poll() is not None, "the worker has ended")
    assert not list(cli.folder.glob("r/**/*.tmp"))


def test_a_worker_that_is_loading_stops_at_once(start: Start) -> None:
    """SIGTERM before the model is loaded ends the worker without waiting for the load."""
    worker = start(fresh=True)
    # What it maps first of all that loading needs.
    wait_until(lambda: "libtorch" in Path(f"/proc/{worker.process.pid}/maps").read_text(), "it has begun to load")
    assert worker.stop() == 0
    assert not worker.logged("model ready")


def test_rows_of_large_pictures_take_turns(cli: CLI, start_plain: Start) -> None:
    """Where two rows' pictures do not fit into memory together, all rows are done, one after the other."""
    name = photo("coffee", 200, 200, cli.folder / "a.png").name
    write_jsonl(cli.folder / "in.jsonl", [row([name] * (1 + number % 2), "Make it red.") for number in range(16)])
    start_plain(max_pixels=100_000)  # two pictures side by side have 80,000, and so has the output
    submitted = cli("submit", "in.jsonl", "--run-dir", "r", "--multi-image", "stitch", "--size", "input")
    assert submitted.returncode == 0, submitted.stderr
    collected = cli("collect", "r")
    assert collected.returncode == 0, collected.stderr
    sizes = [Image.open(cli.folder / f"r/sample_{number}/sample_{number}_0.png").size for number in range(16)]
    assert sizes == [(200, 200), (400, 200)] * 8
