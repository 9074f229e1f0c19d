"""Ending in order, whatever signal asks for it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end a command like Ctrl-C does: what it has started stops, its copies go."""

    def interrupt(number: int, _: object) -> None:
        if number == signal.SIGHUP:  # a closed terminal says it twice, and a second interrupt means: no more patience
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        raise KeyboardInterrupt

    # Where SIGHUP is ignored, somebody said nohup.
    ends = [end for end in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(end) is not signal.SIG_IGN]
    before = {end: signal.signal(end, interrupt) for end in ends}
    try:
        yield
    finally:
        for end, handler in before.items():
            signal.signal(end, handler)
