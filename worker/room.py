"""Room for pictures at full size: a worker has dozens of threads, and decoding takes up to 20 bytes per pixel."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from worker.errors import RowError


class Room:
    """Bounds how many pixels all threads together hold at full size.

    The 20 bytes were measured with JPEG 2000, WebP and PNG with alpha, of 100 megapixels each: 27 of them at once, one
    per thread of a worker with batches of four, would take 50 GB.
    """

    def __init__(self, pixels: int) -> None:
        self._limit = pixels
        self._held = 0
        self._changed = threading.Condition()
        # Whoever waits is next, so that small pictures do not pass a large one by for ever.
        self._door = threading.Lock()
        self._group = threading.Lock()

    @contextmanager
    def guest(self, pictures: int = 1) -> Iterator[Callable[[int], None]]:
        """Yield what waits for room for a picture of so many pixels; all of it is given back in the end.

        One group of several pictures is in at a time: two would wait for each other's second picture for ever. A
        picture that is larger than the whole room enters when nobody else is in.

        Raises:
            RowError: the pictures of one guest are together larger than the room.

        """
        mine = 0

        def take(pixels: int) -> None:
            nonlocal mine
            if mine and mine + pixels > self._limit:
                raise RowError(f"images: together they have more than {self._limit} pixels.")
            with self._door, self._changed:
                self._changed.wait_for(lambda: self._held == mine or self._held + pixels <= self._limit)
                self._held += pixels
            mine += pixels

        with self._group if pictures > 1 else nullcontext():
            try:
                yield take
            finally:
                with self._changed:
                    self._held -= mine
                    self._changed.notify_all()
