"""A process that has imported modules once, and forks from itself each process that the tests ask it for.

    python -m tests.support.launcher SOCKET MODULE

It listens on the socket until its standard input is closed. A request is one message of a connection: a pickled
`Order`, and with it descriptors: of a pipe, into which the launcher writes the new process's number and, when it has
ended, its exit code, and of the process's standard streams. When whoever asks has gone, all that it asked for is
killed.
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
from select import select
from typing import Final

from tests.support.begetting import beget, live, settle

#: A process's number, or its exit code: negative where a signal ended it.
NUMBER: Final = struct.Struct("=i")

#: Most bytes of a request; an environment and a command line are far less.
_MOST: Final = 2**20


@dataclass(frozen=True)
class Order:
    """A process that is asked for."""

    #: A module, which is run as `python -m` runs it, a console script's `module:function`, or -c, as of `python -c`.
    entry: str
    arguments: Sequence[str]
    folder: str
    environment: Mapping[str, str]
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
    message, descriptors, _, _ = socket.recv_fds(asked, _MOST, 4)
    if not message:
        return False
    told, *streams = descriptors
    pid = os.fork()
    if pid == 0:
        asked.close()
        selector.close()
        settle(streams)
        order = pickle.loads(message)  # noqa: S301 - from the tests
        if order.begets:
            beget()
        live(order.entry, order.arguments, order.folder, order.environment)
    for stream in streams:
        os.close(stream)
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


def listen(listening: socket.socket) -> None:
    """Serve each that connects, in a process of its own, until standard input is closed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those
    while True:
        ready, _, _ = select([listening, sys.stdin], [], [])
        if listening not in ready:
            return
        asked, _ = listening.accept()
        with asked:
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listening.close()
                serve(asked)
                os._exit(0)


def main(number: str, module: str) -> None:
    """Import the module; then fork."""
    import_module(module)
    assert threading.active_count() == 1, "a thread does not live on in a process that is forked"
    listen(socket.socket(fileno=int(number)))


if __name__ == "__main__":
    main(*sys.argv[1:])
