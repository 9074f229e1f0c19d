"""A process that has imported modules once, and forks from itself each process that the tests ask it for.

    python -m tests.support.launcher SOCKET MODULE...

A request is one message on the socket: a pickled `Order`, and with it the descriptor of a pipe, into which the launcher
writes the new process's number and, when it has ended, its exit code. When whoever asks has gone, all that it asked for
is killed.
"""

import os
import pickle
import selectors
import signal
import socket
import struct
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Final, NoReturn

from tests.support.begetting import beget, live

#: A process's number, or its exit code: negative where a signal ended it.
NUMBER: Final = struct.Struct("=i")

#: Most bytes of a request; an environment and a command line are far less.
_MOST: Final = 2**20


@dataclass(frozen=True)
class Order:
    """A process that is asked for."""

    #: A module, which is run as `python -m` runs it, or a console script's `module:function`.
    entry: str
    arguments: Sequence[str]
    folder: str
    environment: Mapping[str, str]
    #: Files that it writes to.
    stdout: str
    stderr: str
    #: Whether what it starts itself as `python -m` is forked, too (`tests.support.begetting`).
    begets: bool = False


def serve(asked: socket.socket) -> None:
    """Fork what is asked for, until nobody can ask any more."""
    with selectors.DefaultSelector() as selector:
        selector.register(asked, selectors.EVENT_READ)
        while True:
            for found, _ in selector.select():
                if found.fileobj is not asked:
                    _tell_of_its_end(selector, found)
                elif not _begin(selector, asked):
                    for running in selector.get_map().values():
                        if running.data is not None:
                            os.kill(running.data[0], signal.SIGKILL)
                    return


def _begin(selector: selectors.BaseSelector, asked: socket.socket) -> bool:
    message, descriptors, _, _ = socket.recv_fds(asked, _MOST, 1)
    if not message:
        return False
    [told] = descriptors
    pid = os.fork()
    if pid == 0:
        with asked, selector:
            for other in selector.get_map().values():
                if other.data is not None:
                    os.close(other.data[1])
                    os.close(other.fd)
        os.close(told)
        _become(pickle.loads(message))  # noqa: S301 - from the tests
    os.write(told, NUMBER.pack(pid))
    selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, told))
    return True


def _tell_of_its_end(selector: selectors.BaseSelector, found: selectors.SelectorKey) -> None:
    pid, told = found.data
    selector.unregister(found.fileobj)
    os.close(found.fd)
    _, status = os.waitpid(pid, 0)
    with suppress(BrokenPipeError):  # nobody wants to know
        os.write(told, NUMBER.pack(os.waitstatus_to_exitcode(status)))
    os.close(told)


def _become(order: Order) -> NoReturn:
    os.setsid()
    for path, number in ((os.devnull, 0), (order.stdout, 1), (order.stderr, 2)):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND
        handle = os.open(path, flags, 0o666)
        os.dup2(handle, number)
        os.close(handle)
    if order.begets:
        beget()
    live(order.entry, order.arguments, order.folder, order.environment)


def main(number: str, *modules: str) -> None:
    """Import the modules; then fork, until the other end of the socket is closed."""
    for module in modules:
        import_module(module)
    assert threading.active_count() == 1, "a thread does not live on in a process that is forked"
    serve(socket.socket(fileno=int(number)))


if __name__ == "__main__":
    main(*sys.argv[1:])
