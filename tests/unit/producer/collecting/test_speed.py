"""How fast a run goes, by the clock that is passed in."""

from collections.abc import Sequence

import pytest

from producer.collecting.progress import Status
from producer.collecting.speed import Busy, Rate


@pytest.mark.parametrize(
    ("seen", "now", "rate"),
    [
        ([], 10, 0),
        ([(0, 5)], 10, 0),  # one count tells no rate: nobody knows how long its rows took
        ([(0, 5), (10, 20)], 10, 2),  # 20 / (10 - 0)
        ([(0, 5), (10, 20)], 20, 2),  # one comes every 10 s, so that the next is not late
        ([(0, 5), (10, 20)], 30, 1),  # it is 10 s late: 20 / (30 - 10 - 0)
        ([(0, 5), (10, 20), (15, 10)], 20, 2),  # (20 + 10) / (15 - 0)
        ([(0, 5), (30, 10), (70, 20), (80, 20)], 80, 0.8),  # the first left the window: (20 + 20) / (80 - 30)
        ([(0, 4), (70, 4), (140, 4)], 200, 0.057),  # batches that take longer than a minute: 8 / (140 - 0)
        ([(0, 5), (10, 20)], 611, 0),  # ten minutes without a row
        ([(0, 1), (3, 1)], 3, 0.333),  # three digits
        ([(5, 10), (5, 10)], 5, 0),  # no time has passed: no rate yet
    ],
)
def test_rows_per_second(seen: Sequence[tuple[float, int]], now: float, rate: float) -> None:
    """The rate is that of the rows after the first count of the last minute, and falls where the next one is late."""
    clock = iter([*(time for time, _ in seen), now])
    counter = Rate(clock=lambda: next(clock), window=60)
    for _, rows in seen:
        counter.add(rows)
    assert counter.per_second() == rate


@pytest.mark.parametrize(
    ("seen", "answered_at", "busy"),
    [
        ([(100, 50.0)], {"a": 100}, None),  # how long those took in this run, nobody knows
        ([(100, 50.0), (110, 59.0)], {"a": 110}, 0.9),
        ([(100, 50.0), (105, 50.0), (110, 59.0), (110, 59.0)], {"a": 110}, 0.9),  # looked at without news
        ([(100, 50.0), (110, 64.0)], {"a": 110, "b": 104}, 0.7),  # two GPUs
        ([(100, 50.0), (110, 64.0)], {"a": 110, "b": 104, "gone": 40}, 0.7),
        ([(100, 50.0), (110, 61.0)], {"a": 110}, 1.0),  # rows of batches that began before
    ],
)
def test_the_busy_share_is_of_the_gpus_that_are_at_work(
    seen: Sequence[tuple[float, float]], answered_at: dict[str, float], busy: float | None
) -> None:
    """It is what the model's work took, by the time that passed and by the workers that answer."""
    now = [0.0]
    share = Busy(clock=lambda: now[0])
    for now[0], gpu_seconds in seen:
        status = Status(
            total=9, done=0, failed=0, waiting=9, rows_per_s=0, gpu_seconds=gpu_seconds, answered_at=answered_at
        )
        found = share.of(status)
    assert found == busy


def test_what_earlier_commands_collected_is_none_of_its_share() -> None:
    """Neither its seconds nor the time until the first answer, in which a model was loaded."""
    now = [0.0]
    share = Busy(clock=lambda: now[0], before=50)
    for now[0], gpu_seconds in ((0, 50.0), (90, 55.0), (100, 64.0)):
        counts = {"total": 9, "done": 0, "failed": 0, "waiting": 9, "rows_per_s": 0}
        found = share.of(Status(**counts, gpu_seconds=gpu_seconds, answered_at={"a": now[0]}))  # type: ignore[arg-type]
    assert found == 0.9
