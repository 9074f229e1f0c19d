"""A worker says how many rows it answers per second."""

from worker.metrics.pace import Pace


def test_the_rate_is_that_of_the_last_minute() -> None:
    """Or of the time since it began; old rows are forgotten, and still counted."""
    now = [0.0]
    pace = Pace(window=60, clock=lambda: now[0])
    assert pace.per_second() == 0
    for now[0] in (1, 2, 10):
        pace.answered()
    assert pace.per_second() == 0.3  # 3 / 10
    now[0] = 61
    assert pace.per_second() == round(2 / 60, 3)
    now[0] = 200
    assert (pace.per_second(), pace.rows) == (0, 3)
