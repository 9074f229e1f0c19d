"""A run's pace is measured from outside, by looks that may be any time apart."""

import pytest

from producer.collecting.pace import Pace, Recent, is_collected, seconds_left


def pace(*looks: tuple[float, int]) -> float | None:
    """Look at a run at these seconds, with so many rows answered, and return its pace."""
    now = [0.0]
    measured = Pace(lambda: now[0])
    for second, answered in looks:
        now[0] = second
        measured.seen(answered)
    return measured.per_second()


@pytest.mark.parametrize(
    ("looks", "rate"),
    [
        ([], None),
        ([(0, 100)], None),  # one look says nothing
        ([(0, 100), (15, 160)], None),  # nor do two that lie close together
        ([(0, 100), (15, 160), (30, 220)], 4.0),
        ([(0, 100), (60, 100)], 0.0),
        ([(0, 0), (300, 3000), (600, 3300)], 1.0),  # the first five minutes are forgotten
        ([(0, 0), (100, 500), (400, 800)], 1.0),  # 300 s ago: the second look
        ([(0, 500), (60, 100), (120, 160)], 1.0),  # failed rows were sent again: fewer are answered
        ([(0, 500), (60, 100)], None),
    ],
)
def test_the_pace_is_that_of_the_last_five_minutes(looks: list[tuple[float, int]], rate: float | None) -> None:
    """Rows answered between the first look that counts and the last, by the seconds between them."""
    assert pace(*looks) == rate


@pytest.mark.parametrize(
    ("waiting", "rate", "left"), [(120, 2.0, 60.0), (0, 2.0, 0.0), (0, 0.0, 0.0), (120, 0.0, None)]
)
def test_what_is_left_takes_as_long_as_at_this_pace(waiting: int, rate: float, left: float | None) -> None:
    """Nothing takes no time; and where nothing moves nobody knows."""
    assert seconds_left(waiting, rate) == left


@pytest.mark.parametrize(
    ("answered_at", "rate"),
    [
        ([], 0),
        ([990], 0),  # one tells no rate
        ([980, 985, 990], 0.1),  # 2 in the 20 s since the first
        ([600, 800, 990], 0.007),  # the first is older: 2 in 300 s
        ([600], 0),
    ],
)
def test_answers_that_wait_tell_a_rate(answered_at: list[float], rate: float) -> None:
    """By their times alone, at second 1000: nobody has looked before."""
    recent = Recent(1000)
    for at in answered_at:
        recent.add(at)
    assert recent.per_second() == rate


@pytest.mark.parametrize(("quiet_for", "is_at_work"), [(None, False), (1.2, True), (60.0, False)])
def test_a_collector_is_known_by_its_counts(quiet_for: float | None, *, is_at_work: bool) -> None:
    """It renews them each second."""
    assert is_collected(quiet_for) is is_at_work
