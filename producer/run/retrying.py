"""Bearing a Redis that is away in the middle of a command, for as long as it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

from producer.run.failures import BROKER_ERRORS, is_away, unanswering
from worker.settings.fleet import Settings

Answer = TypeVar("Answer")


class Retrying:
    """Asks Redis until it answers, and says once per outage that it waits."""

    def __init__(
        self,
        settings: Settings,
        say: Callable[[str], None],
        *,
        watch: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`watch` is called while Redis is away, and may raise to end the waiting."""
        self.say = say
        self._settings = settings
        self._watch = watch
        self._sleep = sleep

    def __call__(self, ask: Callable[[], Answer]) -> Answer:
        """Do what needs Redis, as a whole and from its beginning, until it succeeds.

        Nobody knows how much of an attempt that failed was done: `ask` must be such that twice is the same as once.

        Raises:
            Exception: whatever else `ask` raises, and errors of a Redis that answers and refuses.

        """
        is_said = False
        while True:
            try:
                return ask()
            except BROKER_ERRORS as error:
                if not is_away(error):
                    raise
                self._watch()
                if not is_said:
                    self.say(f"{unanswering(self._settings, error)}; waiting for it.")
                    is_said = True
                self._sleep(1)
