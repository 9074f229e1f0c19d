"""Bearing a Redis that is away, or refuses for a while, for as long as it takes or is allowed."""

import time
from collections.abc import Callable, Collection
from typing import Final, TypeVar

from worker.contract.broker_errors import BROKER_ERRORS, Trouble, trouble
from worker.contract.patience import Patience
from worker.settings.fleet import Settings

Answer = TypeVar("Answer")

#: What passes by itself: of a broker that was there before, and of one that nobody has seen yet, where an address may
#: be wrong.
ANY_OUTAGE: Final = frozenset({Trouble.AWAY, Trouble.PASSING})
REFUSALS: Final = frozenset({Trouble.PASSING})


class Retrying:
    """Asks Redis until it answers, and says of each outage when it begins and when it ends."""

    def __init__(
        self,
        settings: Settings,
        say: Callable[[str], None],
        *,
        bears: Collection[Trouble] = ANY_OUTAGE,
        watch: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`watch` is called while Redis is away, and may raise to end the waiting."""
        self.say = say
        self._bears = bears
        self._patience = Patience(settings.broker, say, limit=settings.broker_patience)
        self._watch = watch
        self._sleep = sleep

    def __call__(self, ask: Callable[[], Answer]) -> Answer:
        """Do what needs Redis, as a whole and from its beginning, until it succeeds.

        Nobody knows how much of an attempt that failed was done: `ask` must be such that twice is the same as once.

        Raises:
            RunError: it has lasted longer than is allowed.
            Exception: whatever else `ask` raises, and errors of a Redis that refuses until somebody changes it.

        """
        while True:
            try:
                answer = ask()
            except BROKER_ERRORS as error:
                if trouble(error) not in self._bears:
                    raise
                self._watch()
                self._patience.bear(error)
                self._sleep(1)
            else:
                self._patience.over()
                return answer
