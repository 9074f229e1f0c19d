"""What the verdict makes of the workers' logs: rows that were edited twice would be noticed, and whose fault it was."""

from pathlib import Path

import pytest

from tests.chaos.doubles import doubles
from tests.chaos.logs import WorkerLog
from tests.chaos.schedule import Kind
from tests.chaos.strokes import Stroke

RUN = "3758897d05f6fd33"


def at(second: int, text: str) -> str:
    """Write a line as Celery does."""
    return f"[2026-11-25 01:00:{second:02},000: INFO/MainProcess] {text}\n"


def batch(number: int, begun: int, done: int | None, *rows: int) -> str:
    """Write a micro-batch's lines."""
    named = " ".join(f"{RUN}.{row}" for row in rows)
    lines = at(begun, f"micro-batch {number:012x}: {len(rows)} of 4 rows at 304x208: {named}")
    return lines + (at(done, f"micro-batch {number:012x}: done in 1.00 s, GPU busy 97 %") if done else "")


def received(second: int, *rows: int, sending: str = "00112233") -> str:
    """Write that rows were received."""
    return "".join(at(second, f"Task worker.edit[{RUN}.{row}.{sending}] received") for row in rows)


def read(folder: Path, name: str, *lines: str) -> WorkerLog:
    """Read a worker's log."""
    (folder / f"{name}.log").write_text("".join(lines))
    log = WorkerLog(folder / f"{name}.log")
    log.look()
    return log


def test_a_log_tells_which_rows_are_in_hand(tmp_path: Path) -> None:
    """A row is in hand from its receipt until whatever comes of it, and a line counts once it is whole."""
    task = f"Task worker.edit[{RUN}.%d.00112233] %s"
    log = read(tmp_path, "w0-0", at(1, "w0@here ready."), received(2, *range(4)))
    assert log.is_ready
    assert log.in_hand == {f"{RUN}.{row}" for row in range(4)}
    with log.path.open("a") as file:
        file.write(at(3, task % (0, "succeeded in 1.0s: None")) + at(3, task % (1, "reject requeue=True: it ends")))
        file.write(at(4, task % (2, "succeeded in 1.0s: None"))[:-9])
    log.look()
    assert log.in_hand == {f"{RUN}.2", f"{RUN}.3"}


@pytest.mark.parametrize("over", ["Redis answers again, after 3 s.", "Task worker.edit[0123.1.4567] received"])
def test_a_log_tells_whether_redis_is_missed(tmp_path: Path, over: str) -> None:
    """From a complaint until the outage is said to be over, or a row comes."""
    log = read(tmp_path, "w0-0", at(1, "the messages in hand cannot be renewed: Connection refused."))
    assert (log.misses, log.times_missed) == (True, 1)
    with log.path.open("a") as file:
        file.write(at(2, over))
    log.look()
    assert (log.misses, log.times_missed) == (False, 1)


def test_rows_of_two_micro_batches_were_edited_twice(tmp_path: Path) -> None:
    """A row is, one of a batch that was never done is not, and nor is the row of the same number of another run."""
    dead = read(tmp_path, "w0-0", received(0, 0, 1, 2), batch(1, 1, 2, 0, 1), batch(2, 3, None, 2))
    heir = read(tmp_path, "w1-0", received(4, 1, 2), batch(3, 5, 6, 1, 2), batch(4, 7, 8, 0).replace(RUN, "0" * 16))
    assert [double.row for double in doubles([dead, heir], RUN, [])] == [1]


@pytest.mark.parametrize(
    ("kind", "struck", "helped"),
    [
        (Kind.WORKER_KILLED, +0.5, False),  # after the batch had begun: nobody could know that it would be done
        (Kind.WORKER_FROZEN, +0.5, False),
        (Kind.WORKER_FROZEN, -0.5, True),  # before: it was begun by one who had no right to it any more
        (Kind.WORKER_STOPPED, +0.5, True),  # which should have finished it
        (Kind.REDIS_RESTARTED, +0.5, True),  # and nobody's worker was in danger
    ],
)
def test_a_double_has_a_cause(tmp_path: Path, kind: Kind, struck: float, *, helped: bool) -> None:
    """It is due to the last fault of the row's holder before it was delivered again."""
    first = read(tmp_path, "w0-0", received(0, 7), batch(1, 1, 2, 7))
    second = read(tmp_path, "w1-0", received(6, 7), batch(2, 9, 10, 7))
    begun = first.batches[f"{1:012x}"].begun
    fault = Stroke(kind=kind, victim="w0-0", when=begun + struck, held=frozenset({f"{RUN}.7"}))
    others = Stroke(kind=Kind.WORKER_KILLED, victim="w2-0", when=begun + 2, held=frozenset({f"{RUN}.8"}))
    later = Stroke(kind=Kind.WORKER_KILLED, victim="w0-0", when=begun + 7, held=frozenset({f"{RUN}.7"}))
    (double,) = doubles([first, second], RUN, [fault, others, later])
    assert double.fault is fault
    assert double.could_be_helped is helped


def test_an_edit_that_was_taken_away_is_to_blame_whoever_has_the_row_next(tmp_path: Path) -> None:
    """A worker freezes in the middle of a batch; the next holder gives the row back, and a third edits it, too."""
    first = read(tmp_path, "w0-0", received(0, 7), batch(1, 1, 8, 7))
    second = read(tmp_path, "w1-0", received(5, 7))
    third = read(tmp_path, "w2-0", received(7, 7), batch(2, 9, 10, 7))
    begun = first.batches[f"{1:012x}"].begun
    freeze = Stroke(kind=Kind.WORKER_FROZEN, victim="w0-0", when=begun + 0.5, held=frozenset({f"{RUN}.7"}))
    stop = Stroke(kind=Kind.WORKER_STOPPED, victim="w1-0", when=begun + 5, held=frozenset({f"{RUN}.7"}))
    (double,) = doubles([first, second, third], RUN, [freeze, stop])
    assert double.fault is freeze
    assert not double.could_be_helped


@pytest.mark.parametrize(("read_before", "helped"), [(False, False), (True, True)])
def test_a_message_that_waited_in_a_frozen_workers_connection_is_the_freezes(
    tmp_path: Path, *, read_before: bool, helped: bool
) -> None:
    """Redis had sent it, and forgot so as it restarted: only if it is the first that the worker reads afterwards."""
    first = read(tmp_path, "w0-0", received(5, 7), batch(1, 6, 8, 7))
    others = [received(6, 9)] if read_before else []
    second = read(tmp_path, "w1-0", received(1, 8), *others, received(7, 7), batch(2, 7, 9, 7))
    begun = first.batches[f"{1:012x}"].begun
    freeze = Stroke(kind=Kind.WORKER_FROZEN, victim="w1-0", when=begun - 4, held=frozenset({f"{RUN}.8"}))
    restart = Stroke(kind=Kind.REDIS_RESTARTED, victim="redis", when=begun - 3, held=frozenset({f"{RUN}.8"}))
    (double,) = doubles([first, second], RUN, [freeze, restart])
    assert double.could_be_helped is helped
    assert (double.fault is freeze) is not helped


@pytest.mark.parametrize("asked", [False, True])
def test_a_gpu_need_not_wait_for_redis(tmp_path: Path, *, asked: bool) -> None:
    """While Redis is away nobody can know that a row is done; while it answers, everybody can."""
    words = "" if asked else at(6, "nobody knows whether others have these rows, too: Connection refused.")
    first = read(tmp_path, "w0-0", received(3, 7), batch(1, 3, 4, 7))
    second = read(tmp_path, "w1-0", received(1, 7), received(2, 8), words, batch(2, 6, 8, 7))
    begun = second.batches[f"{2:012x}"].begun
    freeze = Stroke(kind=Kind.WORKER_FROZEN, victim="w1-0", when=begun - 4, held=frozenset({f"{RUN}.7"}))
    restart = Stroke(kind=Kind.REDIS_RESTARTED, victim="redis", when=begun - 1, held=frozenset({f"{RUN}.7"}))
    (double,) = doubles([first, second], RUN, [freeze, restart])
    assert double.could_be_helped is asked
    assert double.fault is (freeze if asked else restart)


def test_a_row_that_is_sent_again_in_the_middle_of_its_edit_is_the_freezes(tmp_path: Path) -> None:
    """Whoever sent it: had its worker not been frozen, the second message would have found the row answered."""
    first = read(tmp_path, "w0-0", received(0, 7), batch(1, 1, 9, 7))
    second = read(tmp_path, "w1-0", received(6, 7, sending="44556677"), batch(2, 7, 8, 7))
    begun = first.batches[f"{1:012x}"].begun
    sender = Stroke(kind=Kind.PRODUCER_KILLED, victim="submit", when=begun - 1)
    freeze = Stroke(kind=Kind.WORKER_FROZEN, victim="w0-0", when=begun + 0.5, held=frozenset({f"{RUN}.7"}))
    (double,) = doubles([first, second], RUN, [sender, freeze])
    assert double.fault is freeze
    assert not double.could_be_helped


def test_a_row_that_was_sent_twice_has_its_producer_to_blame(tmp_path: Path) -> None:
    """Whoever held it before."""
    first = read(tmp_path, "w0-0", received(0, 7), batch(1, 1, 2, 7))
    second = read(tmp_path, "w1-0", received(6, 7, sending="44556677"), batch(2, 9, 10, 7))
    begun = first.batches[f"{1:012x}"].begun
    sender = Stroke(kind=Kind.PRODUCER_KILLED, victim="submit", when=begun - 1)
    holder = Stroke(kind=Kind.WORKER_FROZEN, victim="w0-0", when=begun + 0.5, held=frozenset({f"{RUN}.7"}))
    (double,) = doubles([first, second], RUN, [sender, holder])
    assert double.fault is sender
    assert double.could_be_helped


def test_a_double_without_a_fault_could_be_helped(tmp_path: Path) -> None:
    """With nothing to blame there is no excuse."""
    log = read(tmp_path, "w0-0", received(0, 7), batch(1, 1, 2, 7), batch(2, 3, 4, 7))
    (double,) = doubles([log], RUN, [])
    assert double.fault is None
    assert double.could_be_helped
