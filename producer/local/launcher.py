"""Starting processes that end with this one, from a thread that lasts as long as it does.

The kernel takes the end of the *thread* that has started a process for its parent's (PR_SET_PDEATHSIG, prctl(2)), and
the threads of a user's program come and go, its first one, too.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future
from functools import cache
from queue import SimpleQueue
from threading import Thread
from typing import IO, NamedTuple

from producer.local.bound import bound


class _Order(NamedTuple):
    command: tuple[str, ...]
    environment: Mapping[str, str]
    output: IO[bytes]
    python: str
    started: Future[subprocess.Popen[bytes]]


def launched(
    *command: str, environment: Mapping[str, str], output: IO[bytes], python: str = sys.executable
) -> subprocess.Popen[bytes]:
    """Start a process of this project's that ends with this one; what it says goes to `output`.

    `python`: what a module runs in.

    It is in a session of its own: Ctrl-C reaches this process, which stops the others in order.

    Raises:
        OSError: it cannot be started.

    """
    order = _Order(command, environment, output, python, Future())
    _orders().put(order)
    return order.started.result()


@cache
def _orders() -> SimpleQueue[_Order]:
    orders: SimpleQueue[_Order] = SimpleQueue()
    # A daemon: it is the process that ends it, and no pool's own end, which comes while a user's threads go on.
    Thread(target=_launch, args=[orders], name="launcher", daemon=True).start()
    return orders


# A thread does not survive a fork: the child has none, and must not wait for its parent's.
os.register_at_fork(after_in_child=_orders.cache_clear)


def _launch(orders: SimpleQueue[_Order]) -> None:
    while True:
        order = orders.get()
        try:
            order.started.set_result(_start(order))
        except BaseException as error:  # whoever waits for it raises it
            order.started.set_exception(error)


def _start(order: _Order) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own command line
        bound(*order.command, python=order.python),
        # What lies in the current folder is no module of theirs, nor of the processes that torch starts to compile.
        env={**order.environment, "PYTHONSAFEPATH": "1"},
        stdin=subprocess.DEVNULL,
        stdout=order.output,
        stderr=order.output,
        start_new_session=True,
    )
