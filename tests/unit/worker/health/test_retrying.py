"""What may pass is tried again: with pauses that grow, up to a limit, and never past a shutdown."""

import errno
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from tests.support.waiting import wait_until
from worker.contract.errors import GivenBack, RowError, TransientError
from worker.health.retrying import Retrying
from worker.pictures.decoding import read, size_of
from worker.pictures.transient_errors import may_pass


class Share:
    """Storage that fails a number of times before it works."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.attempts = 0
        self._failures = failures
        self._error = error

    def __call__(self) -> str:
        """Read."""
        self.attempts += 1
        if self.attempts <= self._failures:
            raise self._error
        return "read"


def retrying(closing: threading.Event | None = None, *, attempts: int = 4, first_wait: float = 0.001) -> Retrying:
    """Make one whose pauses are short."""
    return Retrying(closing or threading.Event(), attempts=attempts, first_wait=first_wait, jitter=0)


HICCUP = TransientError("image /a.png: cannot be read (Input/output error).")


@pytest.mark.parametrize("failures", [0, 1, 3])
def test_what_passes_is_borne(failures: int) -> None:
    """As long as it works within the attempts, nobody learns of the failures."""
    share = Share(failures, HICCUP)
    assert retrying().with_storage(share, "run.7") == "read"
    assert share.attempts == failures + 1


def test_the_attempts_are_bounded() -> None:
    """After the last attempt the row has the error of the storage."""
    share = Share(99, HICCUP)
    with pytest.raises(TransientError, match="Input/output error"):
        retrying().with_storage(share, "run.7")
    assert share.attempts == 4


def test_what_does_not_pass_is_not_tried_again() -> None:
    """A missing file is a missing file."""
    share = Share(99, RowError("image /a.png: no such file."))
    with pytest.raises(RowError, match="no such file"):
        retrying().with_storage(share, "run.7")
    assert share.attempts == 1


def test_each_pause_is_told_and_longer(caplog: pytest.LogCaptureFixture) -> None:
    """The log names the row, the attempt, the reason, and a pause that doubles."""
    with caplog.at_level(logging.WARNING):
        retrying(first_wait=0.1).with_storage(Share(3, HICCUP), "run.7")
    reason = "image /a.png: cannot be read (Input/output error)."
    assert [record.message for record in caplog.records] == [
        f"row run.7, attempt 1: {reason} Next in 0.1 s.",
        f"row run.7, attempt 2: {reason} Next in 0.2 s.",
        f"row run.7, attempt 3: {reason} Next in 0.4 s.",
    ]


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    """Start work in a thread; return that, and what it will have raised."""
    raised: list[BaseException] = []

    def catch() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=catch, daemon=True)
    thread.start()
    return thread, raised


def test_a_shutdown_ends_a_pause_at_once() -> None:
    """A row that waits an hour for its storage is given back as soon as the worker is told to stop."""
    closing, share = threading.Event(), Share(99, HICCUP)
    thread, raised = in_thread(lambda: retrying(closing, attempts=99, first_wait=3600).with_storage(share, "run.7"))
    wait_until(lambda: share.attempts == 1, "the first attempt has failed")
    closing.set()
    thread.join(10)
    assert [type(error) for error in raised] == [GivenBack]
    assert share.attempts == 1


def test_redis_is_waited_for_without_end() -> None:
    """An outcome that Redis does not take is kept until it does."""
    share = Share(1, redis.ConnectionError("Connection refused"))
    assert retrying(attempts=1).with_redis(share, "run.7") == "read"


def test_a_shutdown_ends_the_wait_for_redis() -> None:
    """A worker that stops while Redis is away asks once more, and gives its row back."""
    closing, share = threading.Event(), Share(99, redis.ConnectionError("Connection refused"))
    thread, raised = in_thread(lambda: retrying(closing).with_redis(share, "run.7"))
    wait_until(lambda: share.attempts == 1, "Redis has refused")
    closing.set()
    thread.join(10)
    assert [type(error) for error in raised] == [GivenBack]


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EMFILE])
def test_hiccups_may_pass(number: int) -> None:
    """Errors of a network share, and of too many open files, count for reading and for writing."""
    error = OSError(number, os.strerror(number))
    assert may_pass(error)
    assert may_pass(error, writing=True)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.ENOENT])
def test_a_disk_may_be_emptied(number: int) -> None:
    """A full, read-only or vanished folder may be mended while rows are written; a missing input is missing."""
    error = OSError(number, os.strerror(number))
    assert not may_pass(error)
    assert may_pass(error, writing=True)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, None])
def test_other_errors_stay(number: int | None) -> None:
    """Wrong rights, wrong names, and a library's own errors do not pass by themselves."""
    error = OSError(number, "whatever") if number else OSError("cannot write mode HSV as PNG")
    assert not may_pass(error)
    assert not may_pass(error, writing=True)


def test_a_missing_input_is_no_hiccup(tmp_path: Path) -> None:
    """Reading tells what may pass from what may not: a missing file is an error at once."""
    for reader in (read, size_of):
        with pytest.raises(RowError, match="no such file") as raised:
            reader(tmp_path / "absent.png")
        assert not isinstance(raised.value, TransientError)
