"""The share of time that the fleet adds over a bare loop of the model: `python -m tests.bench.fleet`.

The GPU is simulated: a call of the model waits one second for it, in as many parts as there are steps. So all that a
worker does beside may delay every one of them, as it may delay the launch of every step on a GPU that has no work yet.
"""

import os
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from producer.collecting.fleet import fleet_status
from tests.bench.encoding import pictures
from tests.chaos.logs import Batch, WorkerLog
from tests.support.cli import CLI, row, write_jsonl
from tests.support.jobs import job, key
from tests.support.passthrough import Passthrough
from tests.support.servers import running_redis
from tests.support.waiting import wait_until
from tests.support.workers import start_worker
from worker.contract.buckets import KONTEXT_BUCKETS, nearest
from worker.settings.fleet import Settings

SECONDS, STEPS = 1.0, 28
#: Every shape among the photographs fills whole batches.
ROWS, BATCHES = 4, 30
BARE_BATCHES = 10
MODEL = "FLUX-Kontext"


def bare() -> float:
    """Call the model in a loop, on prepared pictures; return the seconds per batch."""
    square = nearest(1, 1, KONTEXT_BUCKETS)
    model, jobs = Passthrough(SECONDS), [job(number, square) for number in range(ROWS)]
    begun = time.monotonic()
    for _ in range(BARE_BATCHES):
        model.edit(key(square, steps=STEPS), jobs, ROWS)
    return (time.monotonic() - begun) / BARE_BATCHES


def fleet(folder: Path) -> tuple[float, float]:
    """Have a worker edit the same number of rows per batch; return the seconds per batch and how busy it says it is."""
    with running_redis() as server:
        cli = CLI(folder, {"broker_url": server.url, "diffuser_model_name": MODEL, "passthrough_seconds": SECONDS})
        _send(cli)
        worker = start_worker("gpu0", folder / "gpu0.log", cli.settings, app="tests.support.passthrough")
        collector, log = cli.begin("collect", "r"), WorkerLog(worker.log)

        def done() -> list[Batch]:
            log.look()
            return [batch for batch in log.batches.values() if batch.done is not None]

        wait_until(lambda: len(done()) >= BATCHES - 2, "the run is nearly over", limit=4 * SECONDS * BATCHES)
        [facts] = fleet_status(Settings(broker_url=server.url, diffuser_model_name=MODEL)).values()
        collector.communicate()
        worker.stop()
    return seconds_per_batch(done()), facts["busy"]


def _send(cli: CLI) -> None:
    """Submit rows of the photographs, at about a megapixel, in turn."""
    photos = list(pictures())
    for number, photo in enumerate(photos):
        photo.save(cli.folder / f"{number}.jpg", quality=95)
    rows = [row(f"{number % len(photos)}.jpg", f"Make it {number}.") for number in range(ROWS * BATCHES)]
    write_jsonl(cli.folder / "in.jsonl", rows)
    submitted = cli("submit", "in.jsonl", "--run-dir", "r", "--steps", STEPS)
    assert submitted.returncode == 0, submitted.stderr


def seconds_per_batch(batches: Sequence[Batch]) -> float:
    """Divide the time from the begin of the first full batch to the end of the last one, by the worker's own log."""
    full = [number for number, batch in enumerate(batches) if len(batch.rows) == ROWS]
    steady = batches[full[0] : full[-1] + 1]
    return ((steady[-1].done or 0) - steady[0].begun) / len(steady)


def main(rounds: int = 3) -> None:
    """Measure both in turn, and print a table."""
    print(
        f"`python -m tests.bench.fleet` on {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f},"
    )
    print(
        f"Python {platform.python_version()}; {rounds} rounds of {BATCHES} batches of {ROWS} rows, {SECONDS} s each\n"
    )
    loops, fleets, busy = [], [], []
    for _ in range(rounds):
        loops.append(bare())
        with TemporaryDirectory() as folder:
            seconds, share = fleet(Path(folder))
        fleets.append(seconds)
        busy.append(100 * share)
    added = [100 * (seconds / loop - 1) for seconds, loop in zip(fleets, loops, strict=True)]
    print("| | median | spread |\n|---|---|---|")
    print(line("bare loop, s per batch", loops, 3))
    print(line("fleet, s per batch", fleets, 3))
    print(line("the fleet adds, %", added, 2))
    print(line("the worker says that it is busy, %", busy, 1))


def line(name: str, found: Sequence[float], digits: int) -> str:
    """Write a figure's median and spread."""
    median, least, most = (f"{value:.{digits}f}" for value in (statistics.median(found), min(found), max(found)))
    return f"| {name} | {median} | {least}-{most} |"


if __name__ == "__main__":
    main()
