"""A run's outcomes on their way back: one Redis stream per run, and the counters that `status` reads."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from worker.contract.broker_url import for_redis_py
from worker.contract.errors import ContractError
from worker.contract.masters import open_master
from worker.contract.messages import Outcome
from worker.contract.redis_keys import KEPT, KEPT_ANSWERED, KEPT_FINISHED, answered_key, run_key
from worker.contract.sentinel_url import sentinels

_FIELD = b"outcome"


class Entry(NamedTuple):
    """An outcome in the stream."""

    id: str
    #: None where the entry is no outcome of this version: only to be deleted.
    outcome: Outcome | None

    @property
    def at(self) -> float:
        """When it was recorded, in seconds by Redis' clock."""
        return int(self.id.partition("-")[0]) / 1000


def open_redis(url: str, *, patience: int | None = 3, timeout: float = 15.0) -> redis.Redis:
    """Connect to the broker's Redis; connections are made on first use, and again after an outage.

    An outage of about `patience` seconds is borne without a word; a longer one raises redis.ConnectionError, and any
    where there is no patience. A server that is there and does not answer for `timeout` seconds raises
    redis.TimeoutError. Where the URL names Sentinels, they are asked for the master at each connection.
    """
    retries = 0 if patience is None else patience + 4
    options: dict[str, Any] = {
        "retry": Retry(ExponentialBackoff(cap=1.0, base=0.05), retries=retries),
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
    }
    # Only TCP can be half open; and where a Unix socket fails this, redis-py 8.1 asks it for its port, and raises that.
    tcp_only = {"socket_keepalive": True, "health_check_interval": 25}
    if (named := sentinels(url)) is not None:
        return open_master(named, {**options, **tcp_only})
    url = for_redis_py(url)
    return redis.Redis.from_url(url, **options, **({} if url.startswith("unix://") else tcp_only))


class OutcomeStream:
    """The outcomes of one run, in order of their recording. Only transport: the ledger is the memory."""

    def __init__(self, client: redis.Redis, run: str) -> None:
        self._client = client
        self._run = run
        self._key = run_key(run, "outcomes")
        self._status = run_key(run, "status")
        self._holders = run_key(run, "holders")

    def append(self, outcome: Outcome) -> None:
        """Record an outcome; nobody has its row in hand any more."""
        with self._client.pipeline(transaction=True) as pipe:
            pipe.xadd(self._key, {_FIELD: outcome.encode()})
            pipe.expire(self._key, KEPT)
            pipe.hdel(self._holders, str(outcome.row))
            pipe.set(answered_key(self._run, outcome.row), 1, ex=KEPT_ANSWERED)
            pipe.execute()

    def read(self, *, want: int, patience: float) -> list[Entry]:
        """Return outcomes from the stream's start: once `want` are there, or `patience` seconds after the first.

        Returns nothing if none comes for `patience` seconds. Always from the start: committed outcomes are
        deleted, and an id kept from before could lie in the future of a Redis that came back with an
        earlier clock.
        """
        entries: list[Entry] = []
        last, deadline = "0-0", time.monotonic() + patience
        while len(entries) < want and (left := deadline - time.monotonic()) > 0:
            answer: Any = self._client.xread({self._key: last}, count=_CHUNK, block=max(1, int(left * 1000)))
            for _, found in answer or ():
                if not entries:
                    deadline = time.monotonic() + patience
                entries += [_entry(id_, fields) for id_, fields in found]
                last = entries[-1].id
        return entries

    def unread(self) -> Iterator[Entry]:
        """Iterate over what no collector has committed yet, leaving it where it is."""
        start = "-"
        while found := self._range(start):
            yield from (_entry(id_, fields) for id_, fields in found)
            start = f"({found[-1][0].decode()}"

    def _range(self, start: str) -> Any:
        return self._client.xrange(self._key, min=start, count=_CHUNK)

    def publish(self, status: str) -> None:
        """Publish a run's counters (JSON), which also marks that this Redis holds its rows."""
        self._client.set(self._status, status, ex=KEPT)

    def committed(self, entries: Sequence[Entry], status: str) -> bool:
        """Delete outcomes that the ledger holds, and renew the run's counters (JSON), in one transaction.

        Returns False where the counters are gone: Redis came back empty. The mark is never made anew here, since it
        says that the run's rows are in this Redis.
        """
        with self._client.pipeline(transaction=True) as pipe:
            if entries:
                pipe.xdel(self._key, *(entry.id for entry in entries))
            pipe.set(self._status, status, ex=KEPT, xx=True)
            return bool(pipe.execute()[-1])

    def finished(self) -> None:
        """Leave nothing of a finished run's outcomes in Redis but its counters, and these for a day."""
        with self._client.pipeline(transaction=True) as pipe:
            pipe.delete(self._key, self._holders)
            pipe.expire(self._status, KEPT_FINISHED)
            pipe.execute()

    def status(self) -> str | None:
        """Return what the last collector published; None if this Redis does not know the run."""
        found: Any = self._client.get(self._status)
        return None if found is None else str(found, "utf-8")

    def quiet_for(self) -> float | None:
        """Return the seconds since a collector last renewed the run's counters; None where there are none."""
        left: Any = self._client.pttl(self._status)
        return None if left < 0 else max(0.0, KEPT - left / 1000)

    def now(self) -> float:
        """Return the time in seconds by Redis' clock, which entries go by."""
        seconds, microseconds = self._client.time()
        return seconds + microseconds / 1e6

    def __len__(self) -> int:
        length: Any = self._client.xlen(self._key)
        return int(length)


#: Entries per round trip: at about 500 bytes each, half a megabyte.
_CHUNK = 1000


def _entry(id_: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    try:
        return Entry(id_.decode(), Outcome.decode(fields.get(_FIELD, b"")))
    except ContractError:
        return Entry(id_.decode(), None)
