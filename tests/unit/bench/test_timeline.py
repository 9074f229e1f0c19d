"""What is read from workers' logs."""

from pathlib import Path

import pytest

from tests.bench.many.timeline import Done, answers, idle_at_the_end, read, steady, whole


def batch(worker: str, begun: float, done: float, *rows: str) -> Done:
    """Return a micro-batch."""
    return Done(worker, begun, done, rows or ("r.1", "r.2", "r.3", "r.4"))


#: One begins a second later and ends two sooner.
TWO = [batch("a", 0, 4), batch("a", 4, 8), batch("a", 8, 12), batch("b", 1, 5), batch("b", 5, 10)]


def test_all_are_at_work_between_the_last_begin_and_the_first_end() -> None:
    """From 1 to 10: 9 seconds, and of a batch that lies in it in part as much of its rows."""
    found = steady(TWO)
    assert found.seconds == 9
    assert found.rows == pytest.approx(4 * (3 / 4 + 1 + 2 / 4 + 1 + 1))


def test_the_end_and_the_whole() -> None:
    """A worker is idle from its own last batch to the last of all."""
    assert idle_at_the_end(TWO) == {"a": 0, "b": 2}
    assert whole(TWO) == 12


def test_answers_are_told_by_run() -> None:
    """Rows of two runs may share a batch."""
    found = answers([batch("a", 0, 4, "x.0", "y.0"), batch("a", 4, 6, "y.1")])
    assert (found["x"].first, found["x"].last) == (4, 4)
    assert (found["y"].first, found["y"].last) == (4, 6)


def test_a_log_is_read(tmp_path: Path) -> None:
    """A batch is a line with its time, how long it took and its rows; others are passed over."""
    log = tmp_path / "gpu0.log"
    begin = "[2026-11-27 08:00:10,500: INFO/MainProcess] "
    log.write_text(
        f"{begin}gpu0@h ready.\n"
        f"{begin}micro-batch 0123456789ab: done in 4.00 s, GPU busy 97 %: 2 of 4 rows of 256x256: aa.0 aa.12\n"
    )
    (found,) = read(log)
    assert (found.worker, found.rows) == ("gpu0", ("aa.0", "aa.12"))
    assert found.done - found.begun == pytest.approx(4.0)
