"""Rows work side by side; a row that is under suspicion works alone, with no neighbour to blame or to be blamed."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from worker.contract.errors import GivenBack, PassedOn


class Isolation:
    """A lock that many rows share, or one row holds alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sharing = 0
        self._alone = False
        # Rows that want to be alone go first: else they would wait for as long as others come.
        self._waiting_alone = 0
        self._closed = False
        #: The rows that wait, by the tags of their messages, and those of them that need wait no longer.
        self._waiting: list[str] = []
        self._passed_on: set[str] = set()

    @contextmanager
    def shared(self, tag: str = "") -> Iterator[None]:
        """Work beside others, once nobody works alone or waits to.

        Raises:
            GivenBack: the worker began to shut down meanwhile, or the row was passed on.

        """
        with self._changed:
            self._wait_for(tag, lambda: not (self._alone or self._waiting_alone))
            self._sharing += 1
        try:
            yield
        finally:
            with self._changed:
                self._sharing -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self, tag: str = "") -> Iterator[None]:
        """Work once nobody else does, and keep everybody else waiting.

        Raises:
            GivenBack: the worker began to shut down meanwhile, or the row was passed on.

        """
        with self._changed:
            self._waiting_alone += 1
            try:
                self._wait_for(tag, lambda: not (self._alone or self._sharing))
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

    def pass_on(self, tags: Collection[str]) -> bool:
        """Give back those of some rows that wait here while others are at work; return whether there were any."""
        with self._changed:
            going = [tag for tag in self._waiting if tag in tags] if self._alone or self._sharing else []
            self._passed_on.update(going)
            self._changed.notify_all()
        return bool(going)

    def _wait_for(self, tag: str, condition: Callable[[], bool]) -> None:
        self._waiting.append(tag)
        try:
            self._changed.wait_for(lambda: self._closed or tag in self._passed_on or condition())
            is_passed_on = tag in self._passed_on
        finally:
            self._waiting.remove(tag)
            self._passed_on.discard(tag)
        if self._closed:
            raise GivenBack
        if is_passed_on:
            raise PassedOn
