"""The same through a real worker and Redis: `python -m tests.bench.real_fleet`.

A worker with a model of random weights, full-size on a GPU and tiny on a CPU, against a bare loop of the same model on
the same photographs in a process of its own; with few denoising steps, so that all that is not the model weighs more.
"""

import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch

from tests.bench.fleet import line
from tests.chaos.logs import Batch, WorkerLog
from tests.support.cli import CLI, row, write_jsonl
from tests.support.pictures import PHOTOS
from tests.support.random_weights import load
from tests.support.servers import running_redis
from tests.support.workers import StartWorker, start_worker
from worker.batching.jobs import BatchKey, EditJob, Ticket
from worker.bench.photos import read_photos, rows_of
from worker.settings.fleet import Settings, load_settings

MODEL = "FLUX-Kontext" if torch.cuda.is_available() else "demo"


class Work(NamedTuple):
    """What both have to do."""

    #: In a batch.
    rows: int = 4
    batches: int = 8
    steps: int = 8


def bare(settings: Settings, work: Work) -> float:
    """Call the model in a loop, on prepared pictures; return the median of the seconds per batch."""
    model, bucket = load(settings), settings.spec.square
    key = BatchKey(bucket=bucket, steps=work.steps, guidance=settings.guidance, true_cfg_scale=1.0, num_images=1)
    rows = rows_of(read_photos(PHOTOS), bucket, work.rows * work.batches)
    jobs = [
        EditJob(Ticket("bare", number, "", ""), picture, instruction, None, (seed,))
        for number, (picture, instruction, seed) in enumerate(rows)
    ]
    model.edit(key, jobs[: work.rows], work.rows)  # compiled, and warm
    seconds = []
    for start in range(0, len(jobs), work.rows):
        begun = time.monotonic()
        model.edit(key, jobs[start : start + work.rows], work.rows)
        seconds.append(time.monotonic() - begun)
    return statistics.median(seconds)


def fleet(settings: Settings, work: Work, folder: Path, start: StartWorker = start_worker) -> tuple[float, float]:
    """Have a worker edit the same rows; return seconds per batch and the busy share, first full batch to last one."""
    rows = rows_of(read_photos(PHOTOS), settings.spec.square, work.rows * work.batches)
    for number, found in enumerate(rows):
        found.picture.save(folder / f"{number}.png")
    write_jsonl(folder / "in.jsonl", [row(f"{number}.png", found.instruction) for number, found in enumerate(rows)])
    with running_redis() as server:
        names = ("diffuser_model_name", "compile_cache", "profile", "compile", "batch_size")
        given = {name: value for name in names if (value := getattr(settings, name)) is not None}
        cli = CLI(folder, {**given, "broker_url": server.url})
        sent = cli("submit", "in.jsonl", "--run-dir", "r", "--steps", work.steps)
        assert sent.returncode == 0, sent.stderr
        worker = start("gpu0", folder / "gpu0.log", cli.settings, app="tests.support.random_weights")
        try:
            worker.wait_until_ready()  # or it says why not
            collected = cli("collect", "r", limit=600)
            assert collected.returncode == 0, collected.stderr
        finally:
            worker.stop()
    log = WorkerLog(worker.log)
    log.look()
    return _steady(list(log.batches.values()), work)


def _steady(batches: Sequence[Batch], work: Work) -> tuple[float, float]:
    """Return the seconds per batch, and which share of them a batch was on the device, by the worker's own log."""
    full = [number for number, batch in enumerate(batches) if len(batch.rows) == work.rows]
    steady = batches[full[0] : full[-1] + 1]
    took = (steady[-1].done or 0) - steady[0].begun
    return took / len(steady), sum((batch.done or 0) - batch.begun for batch in steady) / took


def main(rounds: int = 3, work: Work = Work()) -> None:  # noqa: B008 - nothing changes it
    """Measure both in turn, and print a table."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {os.cpu_count()} cores"
    print(f"`python -m tests.bench.real_fleet` on {platform.machine()}, {device}, torch {torch.__version__}:")
    print(f"{MODEL} with random weights, {rounds} rounds of {work.batches} batches of {work.rows} rows,", end=" ")
    print(f"{work.steps} steps\n")
    loops, fleets, busy = [], [], []
    with TemporaryDirectory() as cache:
        settings = load_settings(diffuser_model_name=MODEL, compile_cache=Path(cache))
        for _ in range(rounds):
            # In a process of its own, so that the GPU is empty when the other begins.
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
                loops.append(process.submit(bare, settings, work).result())
            with TemporaryDirectory() as folder:
                seconds, share = fleet(settings, work, Path(folder))
            fleets.append(seconds)
            busy.append(100 * share)
    added = [100 * (seconds / loop - 1) for seconds, loop in zip(fleets, loops, strict=True)]
    print("| | median | spread |\n|---|---|---|")
    print(line("bare loop, s per batch", loops, 3))
    print(line("fleet, s per batch", fleets, 3))
    print(line("the fleet adds, %", added, 2))
    print(line("a batch was on the device, %", busy, 1))


if __name__ == "__main__":
    main()
