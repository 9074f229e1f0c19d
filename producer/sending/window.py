"""How much of a run may be in Redis, which is memory, at a time."""

from collections.abc import Iterable
from typing import Final

from worker.contract.messages import EditRequest

#: Bytes of a run's pictures and instructions in Redis. Rows that name paths stay far below it at 50,000 rows; of rows
#: with a megabyte of picture in each there are a thousand at a time.
_MOST_BYTES: Final = 2**30


class Window:
    """The most rows that may be unanswered: a number, or fewer, where by their mean so far they would be too large."""

    def __init__(self, rows: int, most_bytes: int = _MOST_BYTES) -> None:
        self._most_rows = rows
        self._most_bytes = most_bytes
        self._seen = 0
        self._bytes = 0

    def add(self, requests: Iterable[EditRequest]) -> None:
        """Take note of rows that are to be published."""
        for request in requests:
            self._seen += 1
            self._bytes += len(request.prompt) + sum(map(len, request.images))

    @property
    def rows(self) -> int:
        """Most rows at a time, at least one."""
        return max(1, min(self._most_rows, self._most_bytes * self._seen // max(1, self._bytes)))
