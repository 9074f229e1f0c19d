"""Rows share the worker, or one has it alone."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.support.waiting import wait_until
from worker.contract.errors import GivenBack
from worker.delivery.isolation import Isolation

#: Seconds after which a test fails instead of hanging.
PATIENCE = 10


class Row(threading.Thread):
    """A row that enters a lane and stays until it is told to leave."""

    def __init__(self, lane: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__(daemon=True)
        self._lane = lane
        self.entered = threading.Event()
        self.may_leave = threading.Event()
        self.given_back = False
        self.start()

    def run(self) -> None:
        """Pass through the lane."""
        try:
            with self._lane():
                self.entered.set()
                self.may_leave.wait(PATIENCE)
        except GivenBack:
            self.given_back = True

    def leave(self) -> None:
        """Leave the lane."""
        self.may_leave.set()
        self.join(PATIENCE)


@pytest.fixture
def isolation() -> Isolation:
    """Make one that nobody is in."""
    return Isolation()


def waits_alone(isolation: Isolation) -> bool:
    """Tell whether a row waits to be alone."""
    return isolation._waiting_alone > 0  # noqa: SLF001 - a thread that waits cannot say so


def test_rows_share(isolation: Isolation) -> None:
    """Any number of rows work side by side."""
    rows = [Row(isolation.shared) for _ in range(5)]
    assert all(row.entered.wait(PATIENCE) for row in rows)
    for row in rows:
        row.leave()


def test_a_suspect_waits_until_everybody_has_left_and_keeps_newcomers_waiting(isolation: Isolation) -> None:
    """A row that works alone begins after those that are at work, before those that come later, and beside none."""
    first, second = Row(isolation.shared), Row(isolation.shared)
    assert first.entered.wait(PATIENCE)
    assert second.entered.wait(PATIENCE)
    suspect = Row(isolation.alone)
    wait_until(lambda: waits_alone(isolation), "the suspect waits")
    newcomer = Row(isolation.shared)
    first.leave()
    assert not suspect.entered.is_set()
    second.leave()
    assert suspect.entered.wait(PATIENCE)
    assert not newcomer.entered.is_set()
    suspect.leave()
    assert newcomer.entered.wait(PATIENCE)
    newcomer.leave()


def test_suspects_follow_one_another(isolation: Isolation) -> None:
    """Two rows that must be alone are never at work together."""
    rows = [Row(isolation.alone) for _ in range(3)]
    for _ in rows:
        wait_until(lambda: any(row.entered.is_set() and row.is_alive() for row in rows), "one is at work")
        [at_work] = [row for row in rows if row.entered.is_set() and row.is_alive()]
        at_work.leave()
    assert not any(row.is_alive() for row in rows)


def test_closing_gives_back_whoever_waits(isolation: Isolation) -> None:
    """A worker that shuts down lets those at work finish, and gives back those that wait and those that come."""
    at_work = Row(isolation.shared)
    assert at_work.entered.wait(PATIENCE)
    suspect = Row(isolation.alone)
    wait_until(lambda: waits_alone(isolation), "the suspect waits")
    newcomer = Row(isolation.shared)
    isolation.close()
    suspect.join(PATIENCE)
    newcomer.join(PATIENCE)
    late = Row(isolation.shared)
    late.join(PATIENCE)
    assert [row.given_back for row in (at_work, suspect, newcomer, late)] == [False, True, True, True]
    assert at_work.is_alive()
    at_work.leave()


def test_rows_that_wait_may_be_passed_on(isolation: Isolation) -> None:
    """Those alone that are named, while somebody is at work; who waits with them goes on waiting."""
    at_work = Row(lambda: isolation.shared("a"))
    assert at_work.entered.wait(PATIENCE)
    suspect, other = Row(lambda: isolation.alone("b")), Row(lambda: isolation.alone("c"))
    wait_until(lambda: isolation._waiting_alone == 2, "both wait")  # noqa: SLF001
    isolation.pass_on({"a", "b"})
    suspect.join(PATIENCE)
    assert (suspect.given_back, at_work.is_alive(), other.is_alive()) == (True, True, True)
    at_work.leave()
    assert other.entered.wait(PATIENCE)
    other.leave()
    assert not other.given_back
    isolation.pass_on({"d"})
    late = Row(lambda: isolation.shared("d"))  # nobody waits for it: it was passed on before, and has come again
    assert late.entered.wait(PATIENCE)
    late.leave()
