"""The same through a real worker and Redis: `python -m tests.bench.real_fleet`.

A worker with a model of random weights, full-size on a GPU and tiny on a CPU, against a bare loop of the same model on
the same photographs in a process of its own; with few denoising steps, so that all that is not the model weighs more.
"""

import multiprocessing
import os
import platform
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from tests.bench.fleet import line, seconds_per_batch
from tests.chaos.logs import WorkerLog
from tests.support.cli import CLI, row, write_jsonl
from tests.support.pictures import PHOTOS
from tests.support.random_weights import load
from tests.support.servers import running_redis
from tests.support.workers import start_worker
from worker.batching.jobs import BatchKey, EditJob, Ticket
from worker.bench.photos import read_photos, rows_of
from worker.settings.fleet import Settings, load_settings

MODEL = "FLUX-Kontext" if torch.cuda.is_available() else "demo"
ROWS, BATCHES, STEPS = 4, 8, 8


def bare(settings: Settings) -> float:
    """Call the model in a loop, on prepared pictures; return the median of the seconds per batch."""
    model, bucket = load(settings), settings.spec.square
    key = BatchKey(bucket=bucket, steps=STEPS, guidance=settings.guidance, true_cfg_scale=1.0, num_images=1)
    jobs = [
        EditJob(Ticket("bare", number, "", ""), picture, instruction, None, (seed,))
        for number, (picture, instruction, seed) in enumerate(rows_of(read_photos(PHOTOS), bucket, ROWS * BATCHES))
    ]
    model.edit(key, jobs[:ROWS], ROWS)  # compiled, and warm
    seconds = []
    for start in range(0, len(jobs), ROWS):
        begun = time.monotonic()
        model.edit(key, jobs[start : start + ROWS], ROWS)
        seconds.append(time.monotonic() - begun)
    return statistics.median(seconds)


def fleet(settings: Settings, folder: Path) -> float:
    """Have a worker edit the same rows; return the seconds per batch, from its first full batch to its last."""
    rows = rows_of(read_photos(PHOTOS), settings.spec.square, ROWS * BATCHES)
    for number, found in enumerate(rows):
        found.picture.save(folder / f"{number}.png")
    write_jsonl(folder / "in.jsonl", [row(f"{number}.png", found.instruction) for number, found in enumerate(rows)])
    with running_redis() as server:
        given = {"broker_url": server.url, "diffuser_model_name": MODEL, "compile_cache": settings.compile_cache}
        cli = CLI(folder, given)
        sent = cli("submit", "in.jsonl", "--run-dir", "r", "--steps", STEPS)
        assert sent.returncode == 0, sent.stderr
        worker = start_worker("gpu0", folder / "gpu0.log", given, app="tests.support.random_weights")
        collected = cli("collect", "r", limit=600)
        assert collected.returncode == 0, collected.stderr
        worker.stop()
    log = WorkerLog(worker.log)
    log.look()
    return seconds_per_batch(list(log.batches.values()))


def main(rounds: int = 3) -> None:
    """Measure both in turn, and print a table."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {os.cpu_count()} cores"
    print(f"`python -m tests.bench.real_fleet` on {platform.machine()}, {device}, torch {torch.__version__}:")
    print(f"{MODEL} with random weights, {rounds} rounds of {BATCHES} batches of {ROWS} rows, {STEPS} steps\n")
    loops, fleets = [], []
    with TemporaryDirectory() as cache:
        settings = load_settings(diffuser_model_name=MODEL, compile_cache=Path(cache))
        for _ in range(rounds):
            # In a process of its own, so that the GPU is empty when the other begins.
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
                loops.append(process.submit(bare, settings).result())
            with TemporaryDirectory() as folder:
                fleets.append(fleet(settings, Path(folder)))
    added = [100 * (seconds / loop - 1) for seconds, loop in zip(fleets, loops, strict=True)]
    print("| | median | spread |\n|---|---|---|")
    print(line("bare loop, s per batch", loops, 3))
    print(line("fleet, s per batch", fleets, 3))
    print(line("the fleet adds, %", added, 2))


if __name__ == "__main__":
    main()
