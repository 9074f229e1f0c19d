"""Ending in order, whatever signal asks for it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end a command like Ctrl-C does: what it has started stops, its copies go."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    # Where SIGHUP is ignored, somebody said nohup.
    ends = [end for end in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(end) is not signal.SIG_IGN]
    before = {end: signal.signal(end, interrupt) for end in ends}
    try:
        yield
    finally:
        for end, handler in before.items():
            signal.signal(end, handler)
