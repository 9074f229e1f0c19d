"""The share of the time in which the GPU's thread was computing."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.batching.busy import BusyMeter

WINDOW = 60.0
#: Seconds between two calls, and seconds of a call, in turn.
Stretches = list[tuple[float, float]]


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


def after(stretches: Stretches, idle: float = 0.0, *, window: float = WINDOW) -> float:
    """Return the share after pauses and calls in turn, and a last pause."""
    clock = Clock()
    meter = BusyMeter(window, clock)
    for pause, call in stretches:
        clock.now += pause
        with meter.computing():
            clock.now += call
    clock.now += idle
    return meter.share()


@pytest.mark.parametrize(
    ("stretches", "idle", "share"),
    [
        # pauses and calls in turn, the last pause; computing / (since the beginning, or the window)
        ([], 0, 0),
        ([], 5, 0),
        ([(0, 5)], 0, 1),
        ([(1, 3)], 0, 3 / 4),
        ([(1, 3)], 2, 3 / 6),
        ([(0, 30)], 30, 30 / 60),  # exactly the window
        ([(0, 30)], 40, 20 / 60),  # ten seconds of the call are gone by
        ([(0, 30)], 60, 0),
        ([(0, 30)], 600, 0),
        ([(0, 100)], 0, 1),  # a call longer than the window
        ([(0, 100)], 15, 45 / 60),
        ([(50, 10), (20, 10)], 0, 20 / 60),
        ([(50, 10), (20, 10)], 35, (5 - 5 + 10) / 60),  # of the first nothing is left
        ([(0, 9), (1, 9), (1, 9)], 3, 27 / 32),
    ],
)
def test_the_share_is_that_of_the_window(stretches: Stretches, idle: float, share: float) -> None:
    """What counts is the last minute, or the time since the meter began where that is shorter."""
    assert after(stretches, idle) == pytest.approx(share)


def test_a_call_in_progress_counts_up_to_now() -> None:
    """A batch of many minutes does not look idle until it ends."""
    clock = Clock()
    meter = BusyMeter(WINDOW, clock)
    clock.now += 10
    with meter.computing():
        clock.now += 30
        assert meter.share() == pytest.approx(30 / 40)
        clock.now += 300
        assert meter.share() == 1


def test_a_call_that_fails_counts() -> None:
    """The GPU was busy with a batch, also where nothing came of it; what follows it is no part of the call."""
    clock = Clock()
    meter = BusyMeter(WINDOW, clock)
    with suppress(ValueError), meter.computing():
        clock.now += 4
        raise ValueError
    clock.now += 4
    assert meter.share() == pytest.approx(1 / 2)


seconds = st.floats(0, 1e4, allow_nan=False)


@given(st.lists(st.tuples(seconds, seconds)), seconds, st.floats(0.1, 1e4))
def test_the_share_is_a_share(stretches: Stretches, idle: float, window: float) -> None:
    """It lies between 0 and 1, whatever the calls were."""
    assert 0 <= after(stretches, idle, window=window) <= 1


@given(st.lists(st.floats(0.001, 1e4), min_size=1), st.floats(0.1, 1e4))
def test_a_thread_that_never_rests_is_wholly_busy(calls: list[float], window: float) -> None:
    """Calls without pauses between them are a share of 1."""
    assert after([(0, call) for call in calls], window=window) == pytest.approx(1)
