"""When a worker may take a silent one for dead."""

import logging

import pytest

from worker.delivery.visibility import Judge


class Clocks:
    """A worker's own clock, and that of Redis."""

    def __init__(self) -> None:
        self.own, self.ahead = 1_000.0, 500.0
        self.judge = Judge(40, clock=lambda: self.own)
        self.renew()

    @property
    def redis(self) -> float:
        """Redis' time."""
        return self.own + self.ahead

    def renew(self) -> None:
        """Let the worker renew its messages."""
        self.judge.renewed(self.redis)

    def may_judge(self) -> bool:
        """Ask."""
        return self.judge.may_judge(self.redis)

    def pass_in_peace(self, seconds: int) -> None:
        """Let time pass, with a renewal every ten seconds."""
        for _ in range(seconds // 10):
            self.own += 10
            self.renew()


@pytest.fixture
def clocks() -> Clocks:
    """Have a worker that has just renewed its messages."""
    return Clocks()


def test_a_worker_that_renews_may_judge(clocks: Clocks) -> None:
    """As long as its own messages are renewed, it looks for those of the dead, however wrong its clock is."""
    assert clocks.may_judge()
    clocks.pass_in_peace(100)
    assert clocks.may_judge()


def test_a_worker_that_could_not_renew_may_not(clocks: Clocks) -> None:
    """Frozen for half a timeout or more, it knows nothing of the others until it has renewed its own."""
    clocks.own += 21
    assert not clocks.may_judge()
    clocks.renew()
    assert clocks.may_judge()


def test_after_a_lost_connection_a_whole_timeout_passes(clocks: Clocks) -> None:
    """Others may come back later, and could not renew meanwhile."""
    clocks.judge.cut_off()
    clocks.pass_in_peace(30)
    assert not clocks.may_judge()
    clocks.pass_in_peace(10)
    assert clocks.may_judge()


@pytest.mark.parametrize("step", [3_600, 11, -11, -3_600])
def test_after_redis_clock_was_set_everybody_may_renew_first(
    clocks: Clocks, step: int, caplog: pytest.LogCaptureFixture
) -> None:
    """By the new time every message may look overdue: for a timeout nobody is taken for dead, and a line says it."""
    clocks.ahead += step
    with caplog.at_level(logging.WARNING):
        assert not clocks.may_judge()
    assert caplog.messages == [f"Redis' clock was set by {step:+} s: nobody is taken for dead for 40 s"]
    clocks.pass_in_peace(30)
    assert not clocks.may_judge()
    clocks.pass_in_peace(10)
    assert clocks.may_judge()


def test_a_clock_that_drifts_is_not_set(clocks: Clocks) -> None:
    """Seconds that come one by one are no step."""
    for _ in range(100):
        clocks.ahead += 1
        clocks.pass_in_peace(10)
    assert clocks.may_judge()
