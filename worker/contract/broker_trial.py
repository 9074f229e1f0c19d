"""Trying a broker before anything depends on it: whether it is there, is a Redis, lets us in, and takes writes."""

import socket
import ssl
from contextlib import suppress
from time import sleep
from typing import Any, Final
from urllib.parse import urlsplit

import redis

from worker.contract.broker_errors import Misaddressed, NoMaster, Trouble, trouble
from worker.contract.masters import open_sentinels
from worker.contract.outcomes import open_redis
from worker.contract.sentinel_url import Sentinels, sentinels

#: Seconds for each step: a Redis that one can work with answers in milliseconds.
_STEP: Final = 2.0

#: Seconds after which a connection that was refused or cut is tried again, as in a restart; a silent one is not.
_PAUSES: Final = (0.1, 0.2, 0.4)

#: Written and gone at once: most refusals concern writing alone.
_KEY: Final = "fleet:trial"

#: How a Redis without TLS answers anything.
_PLAIN: Final = (b"+PONG", b"-")


def try_broker(url: str, *, writing: bool = True) -> None:
    """Return if a broker can be worked with; takes 5 s at most where it cannot.

    Raises:
        redis.RedisError: it cannot; `worker.contract.broker_errors` tells what that means.

    """
    for pause in _PAUSES:
        try:
            return _try(url, writing=writing)
        except redis.ConnectionError as error:
            if trouble(error) is not Trouble.AWAY:
                raise
            sleep(pause)
    return _try(url, writing=writing)


def _try(url: str, *, writing: bool) -> None:
    with open_redis(url, patience=None, timeout=_STEP) as client:
        try:
            _require_single(client)
            if writing:
                client.set(_KEY, 1, px=1)
            else:
                client.exists(_KEY)
        except redis.RedisError as error:
            if trouble(error) is Trouble.AWAY:
                _look_closer(url, error)
            raise


def _require_single(client: redis.Redis) -> None:
    """Make sure that it is no Cluster and no Sentinel, as far as it says."""
    try:
        answer: Any = client.execute_command("HELLO")  # type: ignore[no-untyped-call]
    except redis.ResponseError as error:
        if trouble(error) is Trouble.PASSING:
            raise
        return  # one of before Redis 6, or one that does not let everybody ask
    facts = answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))
    mode = facts.get(b"mode", facts.get("mode"))
    mode = mode.decode() if isinstance(mode, bytes) else mode
    if mode == "cluster":
        raise Misaddressed("is a Redis Cluster, where the fleet needs a single Redis, or one with Sentinel")
    if mode == "sentinel":
        raise Misaddressed("is a Sentinel; write sentinel://HOST:PORT/0?master_name=NAME")


def _look_closer(url: str, error: redis.RedisError) -> None:
    """Raise what is known of a broker that does not answer, if more is known."""
    if (named := sentinels(url)) is not None:
        _ask_sentinels(named, error)
    elif (wrong := _wrong_protocol(url)) is not None:
        raise Misaddressed(wrong) from error


def _ask_sentinels(named: Sentinels, error: redis.RedisError) -> None:
    known: set[str] = set()
    has_answer = False
    for client in open_sentinels(named):
        with suppress(redis.ConnectionError, redis.TimeoutError), client:
            masters: Any = client.sentinel_masters()
            known |= {str(name) for name in masters}
            has_answer = True
    if named.master in known:
        raise NoMaster(f"its Sentinels have no {named.master} that answers at the moment") from error
    if has_answer:
        raise Misaddressed(
            f"has Sentinels that know no master {named.master}; they know {', '.join(sorted(known)) or 'none'}"
        ) from error


def _wrong_protocol(url: str) -> str | None:
    """Say it where a server speaks TLS and the URL does not, or the other way round; None where neither is so."""
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss"} or parts.hostname is None:
        return None
    with suppress(OSError), socket.create_connection((parts.hostname, parts.port or 6379), _STEP) as connection:
        if parts.scheme == "redis":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is told to it
            if _speaks_tls(connection, context):
                return "speaks TLS; write rediss:// in its URL"
        else:
            connection.sendall(b"PING\r\n")
            if connection.recv(5).startswith(_PLAIN):
                return "speaks no TLS; write redis:// in its URL"
    return None


def _speaks_tls(connection: socket.socket, context: ssl.SSLContext) -> bool:
    try:
        with context.wrap_socket(connection):
            return True
    except ssl.SSLError as error:
        # An alert is TLS, too: of a server that asks for a client's certificate, or for another version.
        return "ALERT" in str(error.reason or "")
