"""The endpoint that Prometheus reads: opened at the start, or refused in one sentence."""

import errno
import socket

from prometheus_client import CollectorRegistry, disable_created_metrics, start_http_server

from worker.contract.errors import SettingsError


def new_registry() -> CollectorRegistry:
    """Make an empty registry; what it holds is all that its endpoint shows."""
    disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each, which says when the process began to count
    return CollectorRegistry()


def serve(registry: CollectorRegistry, *, address: str, port: int) -> None:
    """Answer Prometheus at this address, on threads of its own, until the process ends.

    Raises:
        SettingsError: the port cannot be opened there.

    """
    try:
        start_http_server(port, addr=address, registry=registry)
    except socket.gaierror:
        raise SettingsError(f"FLEET_METRICS_ADDRESS: {address} is no address; set one of this machine's.") from None
    except OSError as error:
        raise SettingsError(_why_not(error, address, port)) from None


def _why_not(error: OSError, address: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"FLEET_METRICS_PORT: {port} on {address} is taken; set another, one for each process of a machine."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"FLEET_METRICS_ADDRESS: {address} is no address of this machine; set one that is."
    reason = error.strerror or str(error)
    return f"FLEET_METRICS_PORT: {port} on {address} cannot be opened ({reason}); set another."
