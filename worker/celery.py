"""The Celery app: `celery -A worker worker` needs nothing but this configuration."""

import os
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from celery import Celery
from celery.app.amqp import AMQP
from kombu.connection import Connection
from kombu.entity import Exchange, Queue

from worker.contract.broker_url import redis_url, tls_options
from worker.contract.errors import SettingsError
from worker.contract.sentinel_url import sentinels
from worker.logs.setup import set_up_logs
from worker.settings.fleet import Settings, load_settings

#: Seconds between a worker's looks for the rows of dead ones.
SWEEP: Final = 5

#: Seconds in ten years.
_NEVER: Final = 10 * 365 * 24 * 60 * 60


def configuration(settings: Settings) -> dict[str, Any]:
    """Celery's configuration of worker and producer; what each line protects from stands beside it."""
    queue, named = settings.lane, sentinels(settings.broker)
    return {
        "broker_url": settings.broker if named is None else named.for_kombu,
        # The URL says it, too, but Flower's own view of the queues reads it from here.
        "broker_use_ssl": tls_options(settings.broker) or False,
        "broker_connection_retry_on_startup": True,  # start order does not matter
        "broker_connection_max_retries": None,  # nor does the length of an outage
        # A refusal that passes by itself is waited for like a lost connection, which needs both.
        "broker_channel_error_retry": True,
        "worker_consumer": "worker.delivery.consumer:PatientConsumer",
        "broker_transport_options": {
            # Not by kombu, which goes by the clock of any machine that listens, `producer status` and Flower among
            # them, also when nobody could renew: delivery.leases gives back a dead worker's rows.
            "visibility_timeout": _NEVER,
            "unacked_restore_interval": _NEVER,
            # Whoever looks holds a lock, which a worker or a Redis that dies meanwhile leaves standing; not for 300 s.
            "unacked_mutex_expire": SWEEP,
            # Messages have none: a worker asks each queue once, and not once per priority.
            "priority_steps": [0],
            # A half-open connection is noticed, and a server that never answers, as one without TLS does to TLS.
            "socket_keepalive": True,
            "socket_timeout": 15,
            # Of a Unix socket nothing half open need be noticed; see `worker.contract.outcomes.open_redis`.
            "health_check_interval": _NEVER if settings.broker.startswith("redis+socket:") else 25,
            **({} if named is None else named.kombu_options),
        },
        "task_queues": [Queue(queue)],
        "task_default_queue": queue,
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
        # JSON only: a pickle from the network would run its sender's code.
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        # Outcomes go through the run's stream; a result per row would cost 365 bytes and a pub/sub channel.
        "task_ignore_result": True,
        # A row is acknowledged when its pictures are saved and its outcome is recorded, not before ...
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        # ... and then in any case: a bad row that came back for ever would be a poison loop.
        "task_acks_on_failure_or_timeout": True,
        "worker_pool": "worker.delivery.thread_pool:EventLoopThreadPool",
        "worker_concurrency": settings.in_flight,
        # One message per thread, so that no worker hoards rows that another could edit.
        "worker_prefetch_multiplier": 1,
        # After a lost connection the rows in hand are taken over and counted (delivery.leases): nothing to reduce.
        "worker_enable_prefetch_count_reduction": False,
        # Only prefork can cancel a running task; the others would raise NotImplementedError.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_send_task_events": True,  # Flower sees every row
        "task_send_sent_event": False,
        "worker_redirect_stdouts": False,
    }


def plain_queue(queue: str) -> Queue:
    """Describe a queue, to publish to it and to consume from it.

    Without an exchange: Redis holds no list of what is bound, and a row that is given back goes where its routing key
    says.
    """
    return Queue(queue, Exchange(""), routing_key=queue, no_declare=True)


def connect(settings: Settings) -> Celery:
    """Make an app for a producer, from settings that it already holds.

    Raises:
        SettingsError: a variable of Celery's own names another broker.

    """
    _require_one_broker(settings)
    app = Celery("producer", set_as_current=False)
    app.add_defaults(partial(configuration, settings))
    return app


def _from_environment() -> dict[str, Any]:
    try:
        settings = load_settings()
        _require_one_broker(settings)
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    return configuration(settings)


def _require_one_broker(settings: Settings) -> None:
    """Refuse what Celery would let win over any configuration: rows would go one way, and their outcomes another."""
    for name in ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"):
        if (url := os.environ.get(name)) and not _is_broker(url, settings):
            raise SettingsError(
                f"{name} (celery --broker sets it, too) names another broker than the fleet's: unset it, and name the"
                " broker by FLEET_BROKER_URL alone."
            )


def _is_broker(url: str, settings: Settings) -> bool:
    try:
        return redis_url(url) == settings.broker
    except ValueError:
        return False


class _ReadableConnection(Connection):
    """Shows an IPv6 address in a worker's log as its user wrote it; kombu escapes its colons."""

    def as_uri(self, *args: Any, **kwargs: Any) -> str:
        uri, host = str(super().as_uri(*args, **kwargs)), self.hostname or ""
        is_ipv6 = ":" in host and not host.startswith("/")
        return uri.replace(quote(host, safe=""), f"[{host}]") if is_ipv6 else uri


class _Amqp(AMQP):
    Connection = _ReadableConnection


#: The worker's app. It reads the environment when its configuration is first used, not at import.
app = Celery("worker", amqp=_Amqp)
app.add_defaults(_from_environment)
set_up_logs()
# By string, so that Flower and the producer, which import this module too, load no torch.
app.steps["consumer"].add("worker.delivery.draining:Drain")
app.steps["worker"].update(("worker.delivery.options:RefuseOptions", "worker.bootsteps:LoadModel"))
app.steps["consumer"].update(("worker.delivery.leases:RenewLeases", "worker.delivery.malformed:RejectNonsense"))
app.steps["consumer"].update(("worker.delivery.finding:FindRuns", "worker.delivery.rebalancing:Rebalance"))
