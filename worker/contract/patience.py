"""Waiting for a broker: one line where it begins, one where it ends, and no longer than is allowed."""

import time
from collections.abc import Callable

from worker.contract.broker_errors import Trouble, trouble
from worker.contract.broker_words import described, what_helps
from worker.contract.errors import RunError


class Patience:
    """One outage after another of one broker."""

    def __init__(
        self,
        broker: str,
        say: Callable[[str], None],
        *,
        limit: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit`: the most seconds of an outage that are borne; None bears any."""
        self._broker = broker
        self._say = say
        self._limit = limit
        self._clock = clock
        self._since: float | None = None
        self._was_away = False

    def bear(self, error: BaseException) -> None:
        """Take note of an attempt that failed for what passes by itself.

        Raises:
            RunError: it has lasted too long.

        """
        now = self._clock()
        if self._since is None:
            self._since = now
            self._was_away = trouble(error) is Trouble.AWAY
            if self._limit is None or self._limit > 0:
                helps = f": {found}" if (found := what_helps(error)) else ""
                self._say(f"{described(self._broker, error)}; waiting for it{helps}.")
        if self._limit is not None and now - self._since >= self._limit:
            raise RunError(
                f"{described(self._broker, error)}, for {now - self._since:.0f} s now, which is all the patience there"
                " is (FLEET_BROKER_PATIENCE). Nothing is lost: the same command goes on where it stopped."
            )

    def over(self) -> None:
        """Take note that an attempt succeeded."""
        if self._since is not None:
            does = "answers" if self._was_away else "takes what it is asked"
            self._say(f"Redis {does} again, after {self._clock() - self._since:.0f} s.")
            self._since = None
