"""A budget of pixels at full size: a worker has dozens of threads, and decoding takes up to 20 bytes per pixel."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PixelBudget:
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

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        """Hold so many pixels, once they are free; more than the whole budget is let in alone.

        Never to be called by a thread that holds some already: two of them would wait for each other for ever.
        """
        with self._door, self._changed:
            self._changed.wait_for(lambda: self._held == 0 or self._held + pixels <= self._limit)
            self._held += pixels
        try:
            yield
        finally:
            with self._changed:
                self._held -= pixels
                self._changed.notify_all()
