"""Pictures at full size share a bounded room, in which nobody waits for ever."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.support.waiting import wait_until
from worker.errors import RowError
from worker.room import Room


@contextmanager
def visit(room: Room, *pixels: int) -> Iterator[Callable[[], bool]]:
    """Take room on a thread of its own, and leave at the end; yield whether it has got all of it."""
    got, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with room.guest() as take:
            for number in pixels:
                take(number)
            got.set()
            leave.wait(60)

    thread = threading.Thread(target=stay)
    thread.start()
    yield got.is_set
    leave.set()
    thread.join()


def test_pictures_that_fit_are_in_together() -> None:
    """As many pictures as the room holds are in at the same time."""
    room = Room(100)
    with visit(room, 60) as one, visit(room, 40) as other:
        wait_until(lambda: one() and other(), "both are in", limit=10)


@pytest.mark.parametrize("second", [50, 500], ids=["one too many", "larger than the room"])
def test_a_picture_waits_until_there_is_room(second: int) -> None:
    """A picture that does not fit beside another enters when that has left, also one larger than the whole room."""
    room = Room(100)
    with ExitStack() as last, ExitStack() as next_:
        with visit(room, 60) as one:
            wait_until(one, "the first is in", limit=10)
            other = next_.enter_context(visit(room, second))
            with pytest.raises(AssertionError):
                wait_until(other, "the second is in", limit=0.3)
            # One that would fit comes after the second, so that small ones do not pass it by for ever.
            small = last.enter_context(visit(room, 1))
            with pytest.raises(AssertionError):
                wait_until(small, "the third is in", limit=0.3)
        wait_until(other, "the second is in", limit=10)


def test_two_groups_do_not_wait_for_each_other() -> None:
    """Rows of several pictures come in one after the other: each would otherwise wait for what the other holds."""
    room, left = Room(100), []

    def stay() -> None:
        with room.guest(pictures=2) as take:
            take(50)
            take(50)
        left.append(1)

    threads = [threading.Thread(target=stay, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(left) == 8, "all have left", limit=10)


def test_a_group_waits_for_its_second_picture() -> None:
    """The room is no larger for a group: its next picture waits, too, until others have left."""
    room, first = Room(100), threading.Event()

    def stay() -> None:
        with room.guest(pictures=2) as take:
            take(50)
            first.set()
            take(50)

    with visit(room, 40) as single:
        wait_until(single, "the single picture is in", limit=10)
        group = threading.Thread(target=stay)
        group.start()
        assert first.wait(10)
        group.join(0.3)
        assert group.is_alive(), "it did not wait"
    group.join(10)
    assert not group.is_alive()


def test_a_group_that_is_too_large_is_refused() -> None:
    """Pictures that would together overfill the room are refused as soon as that is known."""
    room = Room(100)
    with pytest.raises(RowError, match=r"^images: together they have more than 100 pixels\.$"):
        take_all(room, 60, 41)
    with visit(room, 100) as after:
        wait_until(after, "all was given back", limit=10)


def take_all(room: Room, *pixels: int) -> None:
    """Take room for a group of pictures."""
    with room.guest(len(pixels)) as take:
        for number in pixels:
            take(number)


def fail(room: Room) -> None:
    """Break off while holding room."""
    with room.guest() as take:
        take(100)
        raise ValueError("broken")


def test_a_picture_that_cannot_be_decoded_gives_its_room_back() -> None:
    """An error leaves the room as it was."""
    room = Room(100)
    with pytest.raises(ValueError, match="broken"):
        fail(room)
    with visit(room, 100) as after:
        wait_until(after, "the room is free", limit=10)
