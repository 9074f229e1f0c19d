"""Whose row is next: who waits, with which priority, and for how long at most."""

from collections import Counter
from collections.abc import Mapping

import pytest

from worker.delivery.turns import Turns

MIDDLE = 5


class Queues:
    """Queues that hold rows, and a worker that takes one row after the other, as BRPOP does."""

    def __init__(self, turns: Turns, priorities: Mapping[str, int], **rows: int) -> None:
        self.turns = turns
        self.rows = Counter(rows)
        self.taken: list[str] = []
        self.list(priorities)

    def list(self, priorities: Mapping[str, int]) -> None:
        """Have these queues asked from now on."""
        self.turns.ask(priorities, [queue for queue in priorities if self.rows[queue]])
        self.turns.update(priorities)

    def take(self, rows: int) -> Counter[str]:
        """Take rows, and count them by queue."""
        before = len(self.taken)
        for _ in range(rows):
            asked = self.turns.consume(len(self.rows) + 100)
            queue = next(queue for queue in asked if self.rows[queue])
            self.rows[queue] -= 1
            self.taken.append(self.turns.rotate(queue))
        return Counter(self.taken[before:])


def equal(*queues: str) -> dict[str, int]:
    """Give queues the same priority."""
    return dict.fromkeys(queues, MIDDLE)


@pytest.mark.parametrize("batch", [1, 4])
def test_equal_queues_advance_together(batch: int) -> None:
    """At no time is one more than a turn ahead of another."""
    queues = Queues(Turns(rows=batch), equal("a", "b", "c"), a=400, b=400, c=400)
    for _ in range(300):
        queues.take(1)
        taken = Counter(queues.taken)
        assert max(taken[queue] for queue in "abc") - min(taken[queue] for queue in "abc") <= batch


def test_a_turn_fills_a_batch() -> None:
    """Rows that fit with no other run's still ride together."""
    queues = Queues(Turns(rows=4), equal("a", "b"), a=100, b=100)
    queues.take(16)
    assert "".join(queues.taken) in {"aaaabbbbaaaabbbb", "bbbbaaaabbbbaaaa"}


@pytest.mark.parametrize("before", [0, 1, 300])
def test_a_small_queue_does_not_wait_for_a_huge_one(before: int) -> None:
    """Whatever was taken before, it is next at the latest after the other's turn, and has every second turn."""
    queues = Queues(Turns(rows=4), equal("huge"), huge=10_000)
    queues.take(before)
    queues.rows["small"] = 5
    queues.list(equal("huge", "small"))
    assert queues.take(4 + 5 + 4)["small"] == 5


def test_who_comes_later_catches_up_on_nothing() -> None:
    """A queue that was empty or absent for long begins where the others are."""
    queues = Queues(Turns(rows=4), equal("old", "new"), old=10_000)
    queues.take(4_000)
    queues.rows["new"] = 1_000
    assert queues.take(400)["new"] == pytest.approx(200, abs=4)


@pytest.mark.parametrize(("low", "high", "ratio"), [(5, 6, 2), (5, 9, 16), (0, 3, 8), (4, 4, 1)])
def test_each_step_of_priority_doubles_the_turns(low: int, high: int, ratio: int) -> None:
    """Of the rows that are taken, the shares are as the weights, but for a turn."""
    queues = Queues(Turns(rows=4), {"low": low, "high": high}, low=10_000, high=10_000)
    taken = queues.take(8 * 4 * (ratio + 1))
    assert taken["high"] == pytest.approx(ratio * taken["low"], abs=4 * ratio)
    assert taken["low"] == pytest.approx(32, abs=4)


def test_the_lowest_starves_beside_no_crowd_of_the_highest() -> None:
    """Its first turn comes when each of the others has had one, and then one row in so many is its own."""
    crowd = [f"high{number}" for number in range(10)]
    queues = Queues(Turns(rows=4), {**dict.fromkeys(crowd, 9), "low": 0}, **dict.fromkeys(crowd, 100_000), low=100)
    assert queues.take(4 * 11)["low"] == 4
    assert 4 <= queues.take(4 * (11 + 10 * 2**9))["low"] <= 8


def test_a_priority_may_change() -> None:
    """It holds from the next row on."""
    queues = Queues(Turns(rows=1), {"a": 5, "b": 5}, a=1_000, b=1_000)
    queues.take(100)
    queues.list({"a": 5, "b": 7})
    assert queues.take(100)["b"] == pytest.approx(80, abs=4)


@pytest.mark.parametrize("priority", [-3, 10, 10**6])
def test_a_priority_that_is_none_is_the_nearest(priority: int) -> None:
    """Whoever can write to Redis can write anything."""
    queues = Queues(Turns(rows=1), {"a": priority, "b": min(9, max(0, priority))}, a=100, b=100)
    assert queues.take(100)["a"] == 50


def test_a_queue_that_is_listed_no_more_is_not_asked() -> None:
    """Also while the channel consumes it still."""
    turns = Turns(rows=4)
    turns.update(["a", "b"])
    turns.ask(equal("b"))
    assert turns.consume(2) == ["b"]


def test_nothing_is_asked_before_it_is_known_what_there_is() -> None:
    """Until the first look."""
    turns = Turns(rows=4)
    turns.update(["a"])
    assert turns.consume(1) == []


def test_of_very_many_queues_those_with_rows_are_asked() -> None:
    """No more than so many at a time, and each has its turn."""
    names = [f"q{number:03}" for number in range(300)]
    queues = Queues(Turns(rows=1, most=16), equal(*names), **dict.fromkeys(names[100:], 3))
    assert len(queues.turns.consume(300)) == 16
    assert set(queues.take(200).values()) == {1}
    assert set(queues.take(200).values()) == {1}


def test_a_bell_is_asked_last_and_has_no_turn() -> None:
    """However many queues there are; where there is none, nobody waits for it either."""
    turns = Turns(rows=4, most=2, bell="bell")
    assert turns.consume(3) == []
    turns.ask(equal("a", "b", "c"))
    turns.update(["a", "b", "c"])
    before = turns.consume(3)
    assert (len(before), before[-1]) == (3, "bell")
    assert turns.rotate("bell") == "bell"
    assert turns.consume(3) == before
