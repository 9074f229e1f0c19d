"""News of a run's rows on their way from the thread that conducts it to those that iterate over its results."""

from collections import deque
from collections.abc import Callable, Iterable
from threading import Condition
from typing import Final

from producer.rows.numbers import Numbers

#: Numbers that are kept for somebody who does not ask; the ledger knows the others, too.
_MOST: Final = 10_000

#: Seconds after which whoever waits looks again, so that Ctrl-C reaches a notebook's cell on every platform.
_LOOK: Final = 0.5


class Feed:
    """Rows that were answered since somebody asked last. Only a hint: what became of them is in the ledger."""

    def __init__(self) -> None:
        self._rows: deque[int] = deque(maxlen=_MOST)
        #: Whether some were dropped, so that the ledger must be looked through.
        self.overflowed = False

    def add(self, rows: Iterable[int]) -> None:
        """Add rows."""
        for row in rows:
            self.overflowed = self.overflowed or len(self._rows) == _MOST
            self._rows.append(row)

    def take(self) -> list[int]:
        """Take all that are there."""
        rows = [*self._rows]
        self._rows.clear()
        return rows

    def __bool__(self) -> bool:
        return bool(self._rows) or self.overflowed


class Arrivals:
    """What is known of a run while it is conducted, for several threads."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._feeds: list[Feed] = []
        #: How often something has changed.
        self.changes = 0
        #: Rows of which the ledger has what they are now.
        self.noted = Numbers()
        #: Whether that is all of them.
        self.all_noted = False
        #: Whether nothing more comes.
        self.ended = False

    def feed(self) -> Feed:
        """Return a new feed, which from now on has every row that is answered."""
        with self._changed:
            self._feeds.append(feed := Feed())
        return feed

    def close(self, feed: Feed) -> None:
        """Feed somebody no longer."""
        with self._changed:
            self._feeds.remove(feed)

    def answered(self, rows: Iterable[int]) -> None:
        """Take note of rows that are answered, which the ledger has.

        One that is not noted yet was answered as it was before; what becomes of it now is still to come.
        """
        with self._changed:
            numbers = [row for row in rows if self.all_noted or row in self.noted]
            for feed in self._feeds:
                feed.add(numbers)
            self._tell()

    def note(self, rows: Iterable[int]) -> None:
        """Take note of rows that the ledger has as they are now."""
        with self._changed:
            for row in rows:
                self.noted.add(row)
            self._tell()

    def note_all(self) -> None:
        """Take note that it has all of them."""
        with self._changed:
            self.all_noted = True
            self._tell()

    def end(self) -> None:
        """Take note that nothing more comes."""
        with self._changed:
            self.ended = True
            self._tell()

    def _tell(self) -> None:
        self.changes += 1
        self._changed.notify_all()

    def taken(self, feed: Feed) -> tuple[list[int], bool]:
        """Return what a feed has, and whether it has dropped some, for which it forgets that it did."""
        with self._changed:
            overflowed, feed.overflowed = feed.overflowed, False
            return feed.take(), overflowed

    def has_changed(self, changes: int) -> bool:
        """Tell whether something has changed since there were so many changes."""
        return self.changes != changes

    def has_news(self, feed: Feed, *, is_looked_through: bool) -> bool:
        """Tell whether there is something to read: of a feed, or (`is_looked_through`: unless it was) of all rows."""
        return bool(feed) or self.ended or (self.all_noted and not is_looked_through)

    def wait(self, enough: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until it is enough, or as many seconds; return whether it is. `enough` is asked after each change."""
        with self._changed:
            if seconds is not None:
                return self._changed.wait_for(enough, seconds)
            while not self._changed.wait_for(enough, _LOOK):
                pass
        return True
