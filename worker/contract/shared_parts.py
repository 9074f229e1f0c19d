"""What the rows of a run share, in Redis: published before its rows, and kept while somebody touches the run."""

from typing import Any

import redis

from worker.contract.redis_keys import KEPT, KEPT_FINISHED, run_key


class SharedParts:
    """The shared parts of one run, by their digests: one for each set of options with which rows were sent."""

    def __init__(self, client: redis.Redis, run: str) -> None:
        self._client = client
        self._key = run_key(run, "shared")

    def put(self, digest: str, text: str) -> None:
        """Publish one, or renew it; what stands under a digest is always the same."""
        with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(self._key, digest, text)
            pipe.expire(self._key, KEPT)
            pipe.execute()

    def get(self, digest: str) -> str | None:
        """Return one; None where Redis has lost it."""
        found: Any = self._client.hget(self._key, digest)
        return None if found is None else str(found, "utf-8")

    def finished(self) -> None:
        """Keep those of a finished run for a day: a row that was sent twice may still be with some worker."""
        self._client.expire(self._key, KEPT_FINISHED)
