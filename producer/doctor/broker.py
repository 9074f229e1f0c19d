"""The broker: whether it can be worked with, and what of its settings would cost rows."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import redis

from producer.doctor.finding import Finding, broken, note, well
from producer.run.failures import advice
from producer.run.older import ADVICE, left_by_older
from worker.contract.broker_errors import BROKER_ERRORS
from worker.contract.broker_trial import try_broker
from worker.contract.broker_url import shown
from worker.contract.broker_words import described
from worker.contract.outcomes import open_redis
from worker.settings.fleet import Settings

#: `XRANGE` begins behind an id ("(…") since then, by Redis' documentation.
_OLDEST: Final = (6, 2)

#: Seconds between two clocks that are worth a word. Nothing of the fleet goes by them, but whoever reads logs does.
_APART: Final = 2.0

#: Share of a Redis' memory from which on it is nearly full.
_FULL: Final = 0.9

_APPEND: Final = "start it with --appendonly yes, and a restart costs no time"


def look_at_broker(settings: Settings, clock: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Look at the broker; if it cannot be worked with, that is the first finding and the only one."""
    try:
        try_broker(settings.broker)
        with open_redis(settings.broker, patience=None, timeout=2.0) as client:
            yield _version(client, settings)
            yield from _settings(client)
            yield _clock(client, clock)
            if (left := left_by_older(client, settings.model)) is not None:
                yield note("queues", str(left), ADVICE)
    except BROKER_ERRORS as error:
        own = "" if settings.broker_url else " (`producer run` starts one of its own: --for run)"
        yield broken("broker", described(settings.broker, error), advice(error) + own)


def _version(client: redis.Redis, settings: Settings) -> Finding:
    begun = time.perf_counter()
    client.ping()
    took = f"{1000 * (time.perf_counter() - begun):.1f} ms"
    name, version = _name(client)
    found = f"{name} {version or 'of an unknown version'} at {shown(settings.broker)} answers in {took}"
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if name == "Redis" and version and numbers < _OLDEST:
        return broken("broker", found, f"install Redis {'.'.join(map(str, _OLDEST))} or newer, or Valkey")
    return well("broker", found)


def _name(client: redis.Redis) -> tuple[str, str]:
    """Return a server's name and version: by HELLO, which every user may ask; INFO needs a right of its own."""
    try:
        answer: Any = client.execute_command("HELLO")  # type: ignore[no-untyped-call]
    except redis.ResponseError:  # of before Redis 6
        return "Redis", _version_told(client)
    facts = answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))
    words = {_text(key): value for key, value in facts.items()}
    return _text(words.get("server", "Redis")).capitalize(), _text(words.get("version", ""))


def _version_told(client: redis.Redis) -> str:
    try:
        facts: Any = client.info("server")
    except redis.ResponseError:
        return ""
    return str(facts.get("redis_version", ""))


def _text(word: Any) -> str:
    return word.decode(errors="replace") if isinstance(word, bytes) else str(word)


def _settings(client: redis.Redis) -> Iterator[Finding]:
    try:
        facts: Any = {**client.info("memory"), **client.info("persistence")}
    except redis.ResponseError:  # the fleet's own user need not have the right
        yield note(
            "eviction",
            "whether Redis throws rows away or keeps them on disk is not known: the URL's user may not ask (INFO)",
            "see as its operator that maxmemory-policy is noeviction and appendonly yes",
        )
        return
    yield _eviction(facts)
    yield _persistence(facts)


def _eviction(facts: Mapping[str, Any]) -> Finding:
    policy, most, used = str(facts.get("maxmemory_policy")), int(facts.get("maxmemory", 0)), int(facts["used_memory"])
    room = f"{used / 2**20:.0f} MiB are used{f' of {most / 2**20:.0f}' if most else ', without a limit'}"
    if policy != "noeviction":
        change = "redis-cli CONFIG SET maxmemory-policy noeviction, and in its configuration"
        if most:
            return broken("eviction", f"{policy} lets Redis throw rows away where its memory is full ({room})", change)
        return note("eviction", f"{policy} would let Redis throw rows away once it had a maxmemory ({room})", change)
    if most and used > _FULL * most:
        return note("eviction", f"noeviction, and it is nearly full ({room})", "raise maxmemory, or lower --max-queued")
    return well("eviction", f"noeviction; {room}")


def _persistence(facts: Mapping[str, Any]) -> Finding:
    for key, what in (("aof_last_write_status", "append-only file"), ("rdb_last_bgsave_status", "last snapshot")):
        if facts.get(key, "ok") != "ok":
            return broken("persistence", f"Redis could not write its {what}", "make room on its disk; see its log")
    if facts.get("aof_enabled"):
        return well("persistence", "append-only file")
    return note("persistence", "a Redis that restarts has lost its rows, which `producer collect` sends again", _APPEND)


def _clock(client: redis.Redis, clock: Callable[[], float]) -> Finding:
    before = clock()
    answer: Any = client.time()
    here = (before + clock()) / 2
    ahead = answer[0] + answer[1] / 1e6 - here
    if abs(ahead) < _APART:
        return well("clock", f"Redis' and this machine's differ by {1000 * abs(ahead):.0f} ms")
    return note(
        "clock",
        f"Redis' is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's; rows go by Redis' alone,"
        " but logs do not",
        "let both machines keep time (chrony, systemd-timesyncd)",
    )
