"""A row's message becomes a whole request: what its run shares is fetched once, and joined with what is its own."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

import redis
from celery.exceptions import Reject

from worker.contract.errors import ContractError
from worker.contract.messages import EditRequest
from worker.contract.shared_parts import SharedParts
from worker.contract.sharing import OwnPart, SharedPart
from worker.health.retrying import Retrying

logger = logging.getLogger(__name__)

#: Shared parts that a worker keeps, of half a kilobyte each: of as many runs as have their turns at a time.
_MOST: Final = 64

#: Seconds after which a worker that goes on with a run renews its shared part, for workers that come to it later.
_RENEWED: Final = 60 * 60


class _Kept(NamedTuple):
    part: SharedPart
    at: float


class Joining:
    """Makes whole requests, in any thread."""

    def __init__(
        self,
        client: redis.Redis,
        retrying: Retrying,
        *,
        most: int = _MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._retrying = retrying
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        #: Of which run it was last said that its shared part is gone: thousands of its rows may come.
        self._told = ""

    def request(self, args: tuple[object, ...], kwargs: dict[str, object]) -> EditRequest:
        """Return the request of a task's arguments. Whoever can write to Redis can send anything.

        Raises:
            Reject: it is none of this version, or the shared part is gone; it does not come back by itself.
            GivenBack: the worker is shutting down while Redis does not answer.

        """
        try:
            own = OwnPart.read(args[0] if len(args) == 1 and not kwargs else None)
            part = self._retrying.with_redis(lambda: self._part(own.run, own.shared), own.name)
            if part is not None:
                return own.joined(part)
        except ContractError as error:
            logger.error("rejected a message: %s", error)  # noqa: TRY400 - one sentence says it
            raise Reject(str(error), requeue=False) from None
        raise Reject(self._gone(own), requeue=False)

    def _gone(self, own: OwnPart) -> str:
        """Say that a row cannot be edited: Redis has lost a part of its run, and whoever collects finds it lost."""
        sentence = f"row {own.name} is let go, and sent again by whoever collects: what its run's rows share is lost"
        with self._lock:
            is_news, self._told = self._told != own.run, own.run
        if is_news:
            logger.error("%s, and so is every row of it that comes here meanwhile", sentence)
        return sentence

    def _part(self, run: str, digest: str) -> SharedPart | None:
        with self._lock:
            if (kept := self._kept.get((run, digest))) is not None:
                self._kept.move_to_end((run, digest))
        now, parts = self._clock(), SharedParts(self._client, run)
        if kept is not None:
            if now - kept.at > _RENEWED:
                parts.put(digest, kept.part.encode())
                self._keep(run, digest, _Kept(kept.part, now))
            return kept.part
        if (text := parts.get(digest)) is None:
            return None
        part = SharedPart.decode(text)
        self._keep(run, digest, _Kept(part, now))
        return part

    def _keep(self, run: str, digest: str, kept: _Kept) -> None:
        with self._lock:
            self._kept[run, digest] = kept
            self._kept.move_to_end((run, digest))
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
