"""The watchdog sees what takes too long, and nothing else."""

import threading

from worker.health.watchdog import Watchdog

#: Seconds after which a test fails instead of hanging.
PATIENCE = 10


def watches() -> list[threading.Thread]:
    """Return the watches that have not ended."""
    return [thread for thread in threading.enumerate() if thread.name == "watchdog"]


def test_what_hangs_is_reported_while_it_hangs() -> None:
    """Once the limit has passed the watchdog says what was being done, without waiting for its end."""
    hung, said = threading.Event(), []

    def on_hang(what: str) -> None:
        said.append(what)
        hung.set()

    with Watchdog(0.01, on_hang).watched("run.7 run.8"):
        assert hung.wait(PATIENCE)
    assert said == ["run.7 run.8"]


def test_what_ends_in_time_is_not_reported() -> None:
    """The end of a batch ends the watch."""
    said: list[str] = []
    watchdog = Watchdog(3600, said.append)
    for _ in range(3):
        with watchdog.watched("run.7"):
            assert len(watches()) == 1
        for thread in watches():
            thread.join(PATIENCE)
        assert watches() == []
    assert said == []
