"""A connection to a web server at an address that was looked at before, under the host's own name, and not for ever."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, Final

from worker.contract.errors import RowError, TransientError
from worker.storage.filesystems import NotInstalled

#: Seconds until a server has to say something, and until it has to have said everything.
_PATIENCE: Final = 15.0
_LONGEST: Final = 120.0


@contextmanager
def connected(host: str, port: int, addresses: tuple[str, ...]) -> Iterator[Any]:
    """Yield a connection of urllib3 to the first of the addresses that answers, and to no other.

    Raises:
        RowError: the certificate there is not the host's.
        TransientError: none of them answers.

    """
    connection = _connect(host, port, addresses)
    # Of a server that sends a byte now and then no single wait is too long.
    alarm = threading.Timer(_LONGEST, _cut, [connection.sock])
    alarm.daemon = True
    alarm.start()
    try:
        yield connection
    finally:
        alarm.cancel()
        connection.close()


def _connect(host: str, port: int, addresses: tuple[str, ...]) -> Any:
    reason = "no address"
    for address in addresses:
        connection = _https_connection()(address, port, server_hostname=host, ssl_context=_context(), timeout=_PATIENCE)
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


def _cut(connection: socket.socket) -> None:
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
    return HTTPSConnection
