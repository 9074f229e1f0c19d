"""When rows count as lost: never because of elapsed time alone."""

import pytest

from producer.collecting.reconcile import Looks


class Clock:
    """Time that passes when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


@pytest.mark.parametrize(
    ("story", "lost_at"),
    [
        # second: what is found if a look is due then. Looks are 6 s apart.
        ({0: "nothing", 6: "nothing"}, [6]),
        ({0: "nothing", 5.9: "nothing"}, []),  # no look is due yet
        ({0: "nothing", 1: "nothing", 2: "nothing", 6.5: "nothing"}, [6.5]),
        ({0: "nothing", 1000: "nothing"}, [1000]),
        ({0: "rows", 6: "nothing", 12: "rows", 18: "nothing", 24: "nothing"}, [24]),
        ({0: "nothing", 3: "an answer", 6: "nothing"}, []),
        ({0: "nothing", 3: "an answer", 6: "nothing", 12: "nothing"}, [12]),
        ({0: "nothing", 6: "nothing", 12: "nothing", 18: "nothing"}, [6, 18]),  # sent again in between
        (dict.fromkeys(range(0, 100_000, 100), "rows"), []),  # behind another run, for days
        ({0: "rows", 2: "an empty Redis", 3: "nothing", 9: "nothing"}, [9]),
        ({0: "nothing", 5: "an empty Redis", 6: "nothing", 11: "nothing", 12: "nothing"}, [12]),
    ],
)
def test_two_looks_a_sweep_apart(story: dict[float, str], lost_at: list[float]) -> None:
    """Rows are lost once two looks in a row, six seconds apart and without an answer between, have found nothing."""
    clock = Clock()
    looks, found = Looks(clock, apart=6), []
    for second, what in story.items():
        clock.now = 100.0 + second
        if what == "an answer":
            looks.answered()
        elif what == "an empty Redis":
            looks.begin()
        elif looks.are_lost(lambda: what == "nothing"):  # noqa: B023
            found.append(second)
    assert found == lost_at


def test_looks_are_rare() -> None:
    """However often it is asked, Redis is looked at once in six seconds."""
    clock, looked = Clock(), []
    looks = Looks(clock, apart=6)
    for tenth in range(600):
        clock.now = 100.0 + tenth / 10
        looks.are_lost(lambda: looked.append(tenth) or False)  # noqa: B023
    assert looked == [0, 60, 120, 180, 240, 300, 360, 420, 480, 540]
