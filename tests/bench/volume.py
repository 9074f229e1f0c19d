"""What commands cost in CPU time and memory as a run grows: `python -m tests.bench.volume [--rows 100000,1000000]`.

Real commands and a real Redis; the answers are a stand-in's (`tests.bench.answers`), since no row needs a GPU here.
"""

import argparse
import json
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from PIL import Image

from producer.run.ledger import LEDGER
from tests.bench.answers import answer_all
from tests.bench.many.processes import Command, begin, broker
from tests.support.cli import CLI, row

#: Commands, in their order, by what the table calls them.
_COMMANDS: Final = {
    "submit": "submit in.jsonl --run-dir r --quiet",
    "status, all answered, none collected": "status r",
    "collect": "collect r --quiet",
    "collect, finished": "collect r --quiet",
    "submit, finished": "submit in.jsonl --run-dir r --quiet",
    "submit --dry-run": "submit in.jsonl --run-dir r --quiet --dry-run",
    "status, finished": "status r",
    "runs": "runs r",
    "errors": "errors r",
    "retry, none failed": "retry r --quiet",
    "verify --fast": "verify r --fast",
    "gallery of 100": "gallery r --most 100",
    "redo of one row": "redo r --rows 0",
    "redo of all": "redo r --where worker~gpu",
    "cancel": "cancel r",
    "check": "check in.jsonl --quiet",
}
_PICTURE: Final = "sample_0/sample_0_0.png"


class Cost(NamedTuple):
    """What a command took."""

    #: CPU seconds.
    cpu: float
    #: The most memory that it had, in MiB (VmHWM).
    memory: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.volume", description=__doc__)
    parser.add_argument("--rows", type=lambda text: [*map(int, text.split(","))], default=[100_000, 1_000_000])
    sizes = parser.parse_args(arguments).rows
    print(
        f"`python -m tests.bench.volume --rows {','.join(map(str, sizes))}` on {time.strftime('%Y-%m-%d')},",
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f},",
        f"Python {platform.python_version()}",
    )
    found = [dict(_measured(rows)) for rows in sizes]
    heads = [f"{what}, {rows:,} rows" for what in ("CPU s", "MiB") for rows in sizes]
    print(f"\n| command | {' | '.join(heads)} | s per million |\n|{'---|' * (len(heads) + 2)}")
    for name, cost in found[-1].items():
        costs = [one[name] for one in found]
        cells = [*(f"{one.cpu:.2f}" for one in costs), *(f"{one.memory:.0f}" for one in costs)]
        slope = (cost.cpu - costs[0].cpu) / max(1, sizes[-1] - sizes[0]) if len(sizes) > 1 else cost.cpu / sizes[0]
        print(f"| {name} | {' | '.join(cells)} | {1e6 * slope:.1f} |")


def _measured(rows: int) -> Iterator[tuple[str, Cost]]:
    with TemporaryDirectory(prefix="fleet-bench-") as place, broker() as redis:
        cli = CLI(Path(place), {"broker_url": redis.url, "max_queued": rows})
        _write_input(cli.folder, rows)
        empty = redis.memory()
        for name, command in _COMMANDS.items():
            cost = _cost(begin(cli, *command.split()))
            print(f"{rows:,} rows, {name}: {cost.cpu:.2f} s, {cost.memory:.0f} MiB", file=sys.stderr, flush=True)
            yield name, cost
            if name == "submit":
                _say(rows, "in Redis", redis.memory() - empty)
                answer_all(cli.folder / "r", redis.url, _PICTURE)
            if name == "collect":
                _say(rows, "in the ledger", (cli.folder / "r" / LEDGER).stat().st_size)


def _cost(command: Command) -> Cost:
    """Wait for a command's end, and look at its memory again and again: nothing tells of it afterwards."""
    found: list[int] = []
    watch = threading.Thread(target=_watch, args=(command.process.pid, found))
    watch.start()
    cpu = command.cpu()
    watch.join()
    return Cost(cpu, max(found) / 1024)


def _watch(pid: int, found: list[int]) -> None:
    """Note the most KiB of memory that a process has had so far, until it ends."""
    with suppress(OSError):
        while peaks := [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmHWM" in line]:
            found += [int(peak.split()[1]) for peak in peaks]
            time.sleep(0.02)


def _say(rows: int, where: str, size: int) -> None:
    print(f"\n{rows:,} rows: {size / rows:,.0f} bytes a row {where}", flush=True)


def _write_input(folder: Path, rows: int) -> None:
    """Write rows of one picture, which is every row's answer, too: a million files are not what is measured here."""
    (folder / "r" / _PICTURE).parent.mkdir(parents=True)
    for path in (folder / "a.png", folder / "r" / _PICTURE):
        Image.new("RGB", (64, 64), "red").save(path)
    with (folder / "in.jsonl").open("w") as file:
        file.writelines(f"{json.dumps(row('a.png', f'Make it {number}.'))}\n" for number in range(rows))


if __name__ == "__main__":
    main()
