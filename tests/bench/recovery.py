"""Seconds from a worker's SIGKILL until others have edited its rows: `python -m tests.bench.recovery`.

With default settings. The kills are spread over the time between two renewals.
"""

import platform
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.cli import CLI
from tests.support.sending import pictures, send
from tests.support.servers import running_redis
from tests.support.waiting import wait_until
from tests.support.workers import start_worker
from worker.contract.outcomes import open_redis
from worker.settings.fleet import Settings

ROWS = 24
APP = "tests.support.passthrough"


def measure(folder: Path, pause: float) -> tuple[float, float]:
    """Kill a worker that holds rows, after a pause; return the seconds until the first and the last of them is done."""
    with running_redis() as server:
        settings = {"broker_url": server.url}
        send(CLI(folder, settings), ["Make it red."] * ROWS)
        client = open_redis(server.url)
        held = start_worker("held", folder / "held.log", {**settings, "passthrough_gate": folder / "gate"}, app=APP)
        wait_until(lambda: client.hlen("unacked") == ROWS, "the worker holds every row")
        other = start_worker("other", folder / "other.log", settings, app=APP)
        other.wait_until_ready()
        time.sleep(pause)
        held.process.kill()
        held.process.wait()
        killed = time.monotonic()
        wait_until(lambda: pictures(folder), "a row is done")
        first = time.monotonic() - killed
        wait_until(lambda: len(pictures(folder)) == ROWS, "every row is done")
        last = time.monotonic() - killed
        other.stop()
    return first, last


def main(rounds: int = 5) -> None:
    """Measure, and print a table."""
    seen, between = [], Settings().visibility_timeout / 4
    for number in range(rounds):
        with TemporaryDirectory() as folder:
            seen.append(measure(Path(folder), between * number / rounds))
    print(f"{platform.machine()}, visibility timeout {Settings().visibility_timeout} s, {ROWS} rows, {rounds} kills\n")
    print("| until | s (median) | s (spread) |\n|---|---|---|")
    for name, times in zip(("the first row is done", "all are done"), zip(*seen, strict=True), strict=True):
        print(f"| {name} | {statistics.median(times):.0f} | {min(times):.0f}-{max(times):.0f} |")


if __name__ == "__main__":
    main()
