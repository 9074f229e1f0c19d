"""Celery's consumer, which waits for a broker that refuses for a while as for one that is away, in one line each."""

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import redis
from celery.worker.consumer import Consumer
from kombu.transport.redis import QoS
from kombu.utils.url import maybe_sanitize_url

from worker.contract.broker_errors import Trouble, trouble
from worker.delivery.broker import await_broker, refuse
from worker.settings.fleet import load_settings


def _is_news(record: logging.LogRecord) -> bool:
    """Drop what kombu's timers say, with a traceback each, of refusals that are waited for here."""
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, redis.RedisError) and trouble(error) is Trouble.PASSING)


for _name in ("kombu.transport.redis", "kombu.asynchronous.hub"):
    logging.getLogger(_name).addFilter(_is_news)


def _without_secrets(tell: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    facts = tell()
    facts["alternates"] = [maybe_sanitize_url(url) for url in facts["alternates"]]
    facts["transport_options"] = {**facts["transport_options"], "sentinel_kwargs": None}
    return facts


class PatientConsumer(Consumer):
    """Takes rows up again once the broker can be worked with.

    Celery's own calls a refusal an unrecoverable error and ends the worker, with its model and with the rows that it
    holds; told to bear refusals, it tries again without a pause, and writes a traceback for each time.
    """

    #: Whether the broker could not be worked with before this connection, so that others may have missed it, too.
    has_waited = False

    _lost: BaseException | None = None

    #: Whether there is no connection at the moment.
    _is_cut_off = False

    def connect(self) -> Any:
        """Connect to a broker that can be worked with.

        Raises:
            SystemExit: it never can be as it is, or the worker was told to stop.

        """
        lost, self._lost = self._lost, None
        # Also a moment ago: see `worker.bootsteps`.
        self.has_waited = await_broker(load_settings(), lost) or getattr(self.controller, "has_waited", False)
        connection = super().connect()
        self._is_cut_off = False
        # Celery tells everybody who asks, and leaves only the password out that stands by itself.
        connection.info = partial(_without_secrets, connection.info)
        return connection

    def on_connection_error_before_connected(self, exc: BaseException) -> None:
        """Remember why it was lost, to be said when it is waited for.

        Raises:
            SystemExit: what the broker refuses, it will go on refusing.

        """
        if isinstance(exc, redis.ResponseError) and trouble(exc) is Trouble.PERSON:
            refuse(load_settings(), exc)
        # Of Celery's list of errors some are not the client's: a KeyError of a connection that is gone.
        self._lost = exc if isinstance(exc, redis.RedisError | OSError) else redis.ConnectionError(repr(exc))

    def on_connection_error_after_connected(self, exc: BaseException) -> None:
        """Let go of the connection, too: rows in hand are taken over into the next (`worker.delivery.leases`)."""
        self._is_cut_off = True
        with suppress(Exception):
            self.connection.collect()
        self.on_connection_error_before_connected(exc)

    def shutdown(self) -> None:
        """End; rows that no broker takes back just now come back by themselves, once nobody renews them."""
        if self._is_cut_off:  # kombu would try it all the same, here and once more at the process's end
            QoS.restore_at_shutdown = False
        super().shutdown()
