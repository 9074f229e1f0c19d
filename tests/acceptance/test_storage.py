"""File shares that hiccup, disks that are full, read-only or gone: what passes is borne, the rest is a row's error."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Start
from tests.support.cli import CLI, read_jsonl
from tests.support.disks import Disk, small_disk
from tests.support.sending import pictures, send
from tests.support.waiting import wait_until


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Have the run folder on a disk of its own."""
    with small_disk(tmp_path / "r") as disk:
        yield disk


def collect(cli: CLI) -> list[str | None]:
    """Collect the run; return each row's error, None where it has none."""
    collected = cli("collect", "r")
    assert collected.returncode in {0, 3}, collected.stderr
    return [fields.get("error") for fields in read_jsonl(cli.folder / "r/output.jsonl")]


def test_a_share_that_hiccups_is_tried_again(cli: CLI, start_faulty: Start) -> None:
    """EIO, ESTALE and a timeout pass; what lasts is an error after so many attempts; a missing file is one at once."""
    names = ["eio-1.png", "estale-2.png", "etimedout-1.png", "eio-99.png", "eacces-99.png", "calm.png"]
    send(cli, ["Make it red."] * 7, images=[*names, "absent.png"])
    (cli.folder / "absent.png").unlink()
    worker = start_faulty(attempts=3)
    here = cli.folder
    assert collect(cli) == [
        None,
        None,
        None,
        f"line 4: image {here}/eio-99.png: cannot be read (Input/output error).",
        f"line 5: image {here}/eacces-99.png: cannot be read (Permission denied).",
        None,
        f"line 7: image {here}/absent.png: no such file.",
    ]
    assert sum("eio-99.png" in line and "attempt" in line for line in worker.lines()) == 2
    assert not any("attempt" in line for line in worker.lines() if "eacces" in line or "absent" in line)


def test_a_shutdown_ends_the_attempts_at_once(cli: CLI, start_faulty: Start) -> None:
    """SIGTERM gives a row that waits for its storage back, however many attempts it had left; it is no error."""
    send(cli, ["Make it red."], images=["eio-99.png"])
    worker = start_faulty("w0", attempts=1000)
    wait_until(lambda: worker.logged("attempt 4"), "the row has begun to wait for seconds")
    assert worker.stop() == 0
    start_faulty("w1", attempts=1)
    [error] = collect(cli)
    assert error is not None
    assert "Input/output error" in error


@pytest.mark.parametrize("fault", ["full", "read-only", "vanished"])
def test_a_disk_that_is_mended_in_time_costs_no_row(cli: CLI, start_faulty: Start, disk: Disk, fault: str) -> None:
    """While the disk is full, read-only or gone, rows are tried again; then they are done, and nothing else is left."""
    send(cli, ["Make it red."] * 3)
    away = cli.folder / "away"
    if fault == "full":
        disk.fill()
    elif fault == "read-only":
        disk.set_writable(writable=False)
    else:
        disk.move(away)
    worker = start_faulty()
    wait_until(lambda: sum("attempt 1" in line for line in worker.lines()) == 3, "every row has met the fault")
    assert pictures(cli.folder) == []
    if fault == "full":
        disk.make_room()
    elif fault == "read-only":
        disk.set_writable(writable=True)
    else:
        disk.move(cli.folder / "r")
    assert collect(cli) == [None] * 3
    assert pictures(cli.folder) == [f"sample_{number}_0.png" for number in range(3)]


def test_a_disk_that_stays_full_is_the_rows_error(cli: CLI, start_faulty: Start, disk: Disk) -> None:
    """After the last attempt the error names folder and reason; neither half a picture nor a temporary file is left."""
    send(cli, ["Make it red."] * 3)
    disk.fill()
    worker = start_faulty(attempts=2)
    wait_until(lambda: sum("raised expected" in line for line in worker.lines()) == 3, "every row has failed")
    disk.make_room()
    assert pictures(cli.folder) == []
    reason = "cannot be written (No space left on device)."
    found = collect(cli)
    assert found == [f"line {n + 1}: output folder {cli.folder}/r/sample_{n}: {reason}" for n in range(3)]
    again = cli("submit", "in.jsonl", "--run-dir", "r")
    assert again.returncode == 0, again.stderr
    assert collect(cli) == [None] * 3
