"""Pictures at full size share a bounded budget, in which nobody waits for ever."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.support.waiting import wait_until
from worker.pictures.pixel_budget import PixelBudget


@contextmanager
def visit(budget: PixelBudget, pixels: int) -> Iterator[Callable[[], bool]]:
    """Take budget on a thread of its own, and leave at the end; yield whether it is in."""
    begun, got, leave = threading.Event(), threading.Event(), threading.Event()

    def stay() -> None:
        begun.set()
        with budget.taken(pixels):
            got.set()
            leave.wait(60)

    thread = threading.Thread(target=stay, daemon=True)
    thread.start()
    try:
        assert begun.wait(10)
        yield got.is_set
    finally:
        leave.set()
        thread.join(10)


def stays_out(is_in: Callable[[], bool]) -> bool:
    """Tell whether a picture is not let in, though it had the time."""
    try:
        wait_until(is_in, "it is in", limit=0.3)
    except AssertionError:
        return True
    return False


def test_pictures_that_fit_are_in_together() -> None:
    """As many pictures as the budget holds are in at the same time."""
    budget = PixelBudget(100)
    with visit(budget, 60) as one, visit(budget, 40) as other:
        wait_until(lambda: one() and other(), "both are in")


@pytest.mark.parametrize("second", [50, 500], ids=["one too many", "larger than the budget"])
def test_a_picture_waits_until_there_is_room(second: int) -> None:
    """A picture that does not fit beside another enters when that has left, also one larger than the whole budget."""
    budget = PixelBudget(100)
    with ExitStack() as last, ExitStack() as next_:
        with visit(budget, 60) as one:
            wait_until(one, "the first is in")
            other = next_.enter_context(visit(budget, second))
            assert stays_out(other)
            # One that would fit comes after the second, so that small ones do not pass it by for ever.
            assert stays_out(last.enter_context(visit(budget, 1)))
        wait_until(other, "the second is in")


def test_many_pictures_all_get_their_turn() -> None:
    """However large and small ones are mixed, all of them come in and leave."""
    budget, left = PixelBudget(100), []

    def stay(pixels: int) -> None:
        with budget.taken(pixels):
            left.append(pixels)

    sizes = [1, 99, 150, 60, 50, 100, 2] * 20
    threads = [threading.Thread(target=stay, args=(size,), daemon=True) for size in sizes]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(left) == len(sizes), "all have left")


def fail(budget: PixelBudget) -> None:
    """Break off while holding budget."""
    with budget.taken(100):
        raise ValueError("broken")


def test_a_picture_that_cannot_be_decoded_gives_its_room_back() -> None:
    """An error leaves the budget as it was."""
    budget = PixelBudget(100)
    with pytest.raises(ValueError, match="broken"):
        fail(budget)
    with visit(budget, 100) as after:
        wait_until(after, "the budget is free")
