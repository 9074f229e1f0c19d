"""News of rows, for threads that read results."""

from threading import Thread

from producer.interface.arrivals import Arrivals


def test_a_feed_has_what_was_answered_since() -> None:
    """Rows that were answered before a feed was there are none of its news, and each is taken once."""
    arrivals = Arrivals()
    arrivals.note([1, 2, 3])
    arrivals.answered([1])
    feed = arrivals.feed()
    arrivals.answered([2, 3])
    assert arrivals.taken(feed) == ([2, 3], False)
    assert arrivals.taken(feed) == ([], False)


def test_a_feed_that_nobody_reads_stays_small() -> None:
    """It drops the oldest, and says once that it did."""
    arrivals = Arrivals()
    arrivals.note_all()
    feed = arrivals.feed()
    arrivals.answered(range(25_000))
    rows, overflowed = arrivals.taken(feed)
    assert (rows[-1], len(rows), overflowed) == (24_999, 10_000, True)
    assert arrivals.taken(feed) == ([], False)


def test_whoever_waits_is_told() -> None:
    """A change in another thread ends the waiting; where none comes, the time does."""
    arrivals = Arrivals()
    thread = Thread(target=arrivals.end)
    thread.start()
    assert arrivals.wait(lambda: arrivals.ended)
    thread.join()
    assert not arrivals.wait(lambda: arrivals.all_noted, 0.01)


def test_an_answer_to_a_row_that_is_not_noted_yet_is_no_news() -> None:
    """It is one to what the row was before; once all are noted, every answer is news."""
    arrivals = Arrivals()
    feed = arrivals.feed()
    arrivals.answered([1])
    arrivals.note([1])
    arrivals.answered([1, 2])
    arrivals.note_all()
    arrivals.answered([2])
    assert arrivals.taken(feed) == ([1, 2], False)
