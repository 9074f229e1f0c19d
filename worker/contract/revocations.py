"""What the producer takes back of rows that are already on their way: superseded ones, and cancelled runs."""

from collections.abc import Mapping
from typing import Any

import redis

from worker.contract.redis_keys import KEPT, KEPT_FINISHED, run_key


class Revocations:
    """What is revoked of one run, in Redis."""

    def __init__(self, client: redis.Redis, run: str) -> None:
        self._client = client
        self._superseded = run_key(run, "superseded")
        self._cancelled = run_key(run, "cancelled")

    def supersede(self, changed: Mapping[int, str], again: Mapping[int, str]) -> None:
        """Note, before rows are published, which older forms of them count no more.

        `changed`: new fingerprints of rows whose older form is on its way. `again`: fingerprints of rows that are
        published once more; where something stands about such a row, it must name this form, or it would be dropped.
        """
        noted: Any = self._client.hmget(self._superseded, [str(row) for row in again]) if again else []
        renewed = {row: digest for (row, digest), old in zip(again.items(), noted, strict=True) if old is not None}
        news: dict[Any, Any] = {**renewed, **changed}
        if news:
            with self._client.pipeline(transaction=True) as pipe:
                pipe.hset(self._superseded, mapping=news)
                pipe.expire(self._superseded, KEPT)
                pipe.execute()

    def cancel(self) -> None:
        """Note that no row of the run is wanted any more."""
        self._client.set(self._cancelled, 1, ex=KEPT)

    def take_up(self) -> None:
        """Note that the run's rows are wanted again."""
        self._client.delete(self._cancelled)

    @property
    def cancelled(self) -> bool:
        """Whether the run was cancelled and not taken up again."""
        return bool(self._client.exists(self._cancelled))

    def why_unwanted(self, row: int, fingerprint: str) -> str | None:
        """Tell why a row that is on its way is no longer wanted; None if it is.

        A newer form of it was submitted, whose pictures this one must not overwrite, or its run was cancelled.
        """
        with self._client.pipeline(transaction=False) as pipe:
            pipe.hget(self._superseded, str(row))
            pipe.exists(self._cancelled)
            newest, cancelled = pipe.execute()
        if cancelled:
            return "its run was cancelled"
        return "a newer form of it was submitted" if newest not in {None, fingerprint.encode()} else None

    def finished(self) -> None:
        """Keep a finished run's revocations for a day: an older form of a row may still be on some GPU."""
        self._client.expire(self._superseded, KEPT_FINISHED)
