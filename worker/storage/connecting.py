"""A connection to a web server at an address that was looked at before, under the host's own name, and not for ever."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, Final

from worker.contract.errors import RowError, TransientError
from worker.storage.filesystems import NotInstalled

#: Seconds until a server has to say something, and until all that a file takes has to be over.
_PATIENCE: Final = 15.0
_LONGEST: Final = 120.0

_TOO_LONG: Final = "its server takes too long"


def deadline() -> float:
    """Return until when, by the clock that only runs on, a file that is begun now has to have come."""
    return time.monotonic() + _LONGEST


@contextmanager
def connected(host: str, port: int, addresses: tuple[str, ...], *, until: float) -> Iterator[Any]:
    """Yield a connection of urllib3 to the first of the addresses that answers, and to no other; cut it at `until`.

    Raises:
        RowError: the certificate there is not the host's.
        TransientError: none of them answers, or it was cut, whatever had come by then: an end need not be its end.

    """
    connection = _connect(host, port, addresses, until)
    is_cut = threading.Event()
    # Of a server that sends a byte now and then no single wait is too long.
    alarm = threading.Timer(until - time.monotonic(), _cut, [connection.sock, is_cut])
    alarm.daemon = True
    alarm.start()
    try:
        yield connection
    except Exception:
        if not is_cut.is_set():
            raise
    finally:
        alarm.cancel()
        connection.close()
    if is_cut.is_set():
        raise TransientError(_TOO_LONG)


def _connect(host: str, port: int, addresses: tuple[str, ...], until: float) -> Any:
    reason = "no address"
    for address in addresses:
        if (left := until - time.monotonic()) <= 0:
            raise TransientError(_TOO_LONG)
        connection = _https_connection()(
            address, port, server_hostname=host, ssl_context=_context(), timeout=min(_PATIENCE, left)
        )
        try:
            connection.connect()
        except ssl.SSLCertVerificationError:
            connection.close()
            raise RowError("the certificate of its host does not hold") from None
        except Exception as error:  # the system's and urllib3's own
            connection.close()
            reason = type(error).__name__
        else:
            return connection
    raise TransientError(f"its host does not answer ({reason})")


def _cut(connection: socket.socket, is_cut: threading.Event) -> None:
    is_cut.set()  # first: whoever reads takes the end that follows for the body's own
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _https_connection() -> Any:
    try:
        from urllib3.connection import HTTPSConnection  # noqa: PLC0415 - of the extra `storage`
    except ImportError:
        extra = "'bulk-image-editor[storage]'"
        raise NotInstalled(f"https:// needs urllib3 on this machine (pip install {extra})") from None
    # Of a header that is none it would say which URL it came from, and how that is signed.
    logging.getLogger("urllib3.connection").setLevel(logging.ERROR)
    return HTTPSConnection
