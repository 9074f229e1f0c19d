"""The queues of a lane: one for each of its runs, so that none waits behind another."""

import re
from typing import Final

from worker.contract.messages import VERSION, queue_names

_RUN: Final = re.compile(r"[0-9a-f]{16}")


def run_queue(lane: str, run: str) -> str:
    """Name the queue in which a run's rows wait."""
    return f"{lane}.{run}"


def lane_and_run(queue: str) -> tuple[str, str] | None:
    """Return the lane and the run of a run's queue; None of any other."""
    lane, _, run = queue.rpartition(".")
    return (lane, run) if lane and _RUN.fullmatch(run) else None


def older_queues(model: str) -> tuple[str, ...]:
    """Name the queues of a model in versions 1 to 3, which had one for all runs, and the lanes since then.

    No worker of this version takes what is in them.
    """
    versions = range(1, VERSION)
    return tuple(lane.replace(f".v{VERSION}.", f".v{old}.", 1) for old in versions for lane in queue_names(model))
