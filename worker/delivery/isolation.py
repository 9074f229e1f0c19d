"""Rows work side by side; a row that is under suspicion works alone, with no neighbour to blame or to be blamed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from worker.contract.errors import GivenBack


class Isolation:
    """A lock that many rows share, or one row holds alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sharing = 0
        self._alone = False
        # Rows that want to be alone go first: else they would wait for as long as others come.
        self._waiting_alone = 0
        self._closed = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Work beside others, once nobody works alone or waits to.

        Raises:
            GivenBack: the worker began to shut down meanwhile.

        """
        with self._changed:
            self._wait_for(lambda: not (self._alone or self._waiting_alone))
            self._sharing += 1
        try:
            yield
        finally:
            with self._changed:
                self._sharing -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Work once nobody else does, and keep everybody else waiting.

        Raises:
            GivenBack: the worker began to shut down meanwhile.

        """
        with self._changed:
            self._waiting_alone += 1
            try:
                self._wait_for(lambda: not (self._alone or self._sharing))
                self._alone = True
            finally:
                self._waiting_alone -= 1
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()

    def close(self) -> None:
        """Give back every row that waits here, now and from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        self._changed.wait_for(lambda: self._closed or condition())
        if self._closed:
            raise GivenBack
