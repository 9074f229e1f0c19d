"""Seconds of a worker's first and second start, part by part: `python -m tests.bench.starting`.

The demo model, compiled for its square resolution; each round begins with an empty folder of compiled kernels.
"""

import platform
import re
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from tests.support.servers import running_redis
from tests.support.workers import StartWorker, start_worker

PARTS = ("libraries and weights", "compile", "warm-up")


def start(
    broker: str,
    folder: Path,
    profile: str,
    name: str,
    *,
    begin: StartWorker = start_worker,
    app: str = "worker",
    **settings: object,
) -> dict[str, float]:
    """Start a worker and stop it; return the seconds until it takes rows, and what its log says of them."""
    given = {"broker_url": broker, "profile": profile, "compile_cache": folder / profile, **settings}
    begun = time.monotonic()
    worker = begin(name, folder / f"{name}.log", given, app=app)
    try:
        worker.wait_until_ready()
        took = time.monotonic() - begun
    finally:
        worker.stop()
    (said,) = (line for line in worker.lines() if "model ready" in line)
    parts = {part: float(re.search(rf"{part} ([\d.]+) s", said)[1]) for part in PARTS}  # type: ignore[index]
    return {**parts, "all, from the command on": took}


def main(rounds: int = 3) -> None:
    """Measure, and print a table."""
    seen: dict[tuple[str, str], list[dict[str, float]]] = {}
    with running_redis() as server:
        for number in range(rounds):
            with TemporaryDirectory() as name:
                for profile in ("exact", "fast"):
                    for which in ("first", "second"):
                        found = start(server.url, Path(name), profile, f"{profile}-{which}-{number}")
                        seen.setdefault((profile, which), []).append(found)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    print(f"{platform.machine()}, {device}, torch {torch.__version__}, demo model at 256x256, 1, 2 and 4 at a time,")
    print(f"{rounds} rounds\n")
    print("| profile | start | part | s (median) | s (spread) | of the first |\n|---|---|---|---|---|---|")
    for (profile, which), starts in seen.items():
        for part in starts[0]:
            times = [found[part] for found in starts]
            first = statistics.median(found[part] for found in seen[profile, "first"])
            median = statistics.median(times)
            share = f"{median / first:.2f}" if first else ""
            print(f"| {profile} | {which} | {part} | {median:.1f} | {min(times):.1f}-{max(times):.1f} | {share} |")


if __name__ == "__main__":
    main()
