"""Whose row is next: runs take turns, each as often as its priority says. Pure: no Redis, no clock.

Start-time fair queueing. Each queue has a place on a line, and the one that is furthest behind is next; a row moves its
queue ahead by the inverse of its weight. Who comes, or comes back, begins where the others are: having waited for rows
earns nothing, and having taken many costs nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from worker.contract.parameters import DEFAULT_PRIORITY
from worker.contract.roster import weight

#: Most queues that are asked at a time. A row costs Redis 8 us of its CPU where one is asked, 15 where 64 are, and 90
#: where 512 are (Valkey 9.1, the last of them has the row); ordering 64 costs the worker 50 us.
MOST: Final = 64


class Turns:
    """The order in which a worker asks its queues; has the methods of kombu's `round_robin_cycle`.

    A turn is as many rows as fill a batch, so that batches are full also where those of each run fit with no other's.
    """

    def __init__(self, rows: int, most: int = MOST, bell: str | None = None) -> None:
        """`rows`: of a queue that has its turn. `most`: queues that are asked at a time. `bell`: what is asked last."""
        self._rows = rows
        self._most = most
        self._bells = [] if bell is None else [bell]
        #: What is consumed, by its weight; those that are to be asked; of these, those that had rows.
        self._queues: list[str] = []
        self._weights: dict[str, int] = {}
        self._with_rows: frozenset[str] = frozenset()
        #: Where each queue is on the line, and where whoever has its turn was when it began.
        self._places: dict[str, float] = {}
        self._now = 0.0
        #: Whose turn it is, and how many rows of it are left.
        self._last = ""
        self._left = 0
        #: When each queue last gave a row: of two in one place, who has waited longer is next.
        self._served: dict[str, int] = {}
        self._count = 0

    def ask(self, priorities: Mapping[str, int], with_rows: Iterable[str] = ()) -> None:
        """Say which queues are to be asked from now on, with their priorities.

        `with_rows`: which go first where they are more than can be asked at a time.
        """
        self._weights = {queue: weight(priority) for queue, priority in priorities.items()}
        self._with_rows = frozenset(with_rows)
        self._places = {queue: place for queue, place in self._places.items() if queue in self._weights}
        self._served = {queue: count for queue, count in self._served.items() if queue in self._weights}

    def crowded(self, queues: int) -> bool:
        """Tell whether so many cannot be asked at a time."""
        return queues > self._most

    def update(self, queues: Iterable[str]) -> None:
        """Take note of what the channel consumes; kombu says it."""
        self._queues = list(queues)

    def consume(self, n: int) -> list[str]:
        """Return the queues to ask, in the order in which they are to be asked."""
        queues = [queue for queue in self._queues[:n] if queue in self._weights]
        queues.sort(key=lambda queue: (self._place(queue), self._served.get(queue, 0)))
        if self.crowded(len(self._weights)):
            queues.sort(key=lambda queue: queue not in self._with_rows)
        if self._left and self._last in queues:
            queues.remove(self._last)
            queues.insert(0, self._last)
        return [*queues[: self._most], *self._bells] if queues else []

    def rotate(self, used: str) -> str:
        """Take note of the queue that gave a row; kombu says it."""
        if used in self._bells:
            return used
        place = self._place(used)
        if used != self._last or not self._left:  # a turn begins
            self._last, self._left, self._now = used, self._rows, max(self._now, place)
        self._left -= 1
        self._count += 1
        self._served[used] = self._count
        self._places[used] = place + 1 / self._weights.get(used, 2**DEFAULT_PRIORITY)
        return used

    def _place(self, queue: str) -> float:
        return max(self._now, self._places.get(queue, 0.0))
