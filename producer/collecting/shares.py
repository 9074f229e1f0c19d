"""How runs whose rows wait for the same workers share them."""

from collections.abc import Iterable
from typing import NamedTuple

import redis

from worker.contract.roster import Roster, rows_in, weight


class Share(NamedTuple):
    """A run's part of the fleet."""

    #: 0 to 9, as workers know it.
    priority: int
    #: Runs whose rows wait, this one among them.
    runs: int
    #: Of the rows that workers take meanwhile, which part is this run's: 0 to 1.
    share: float


def shares(client: redis.Redis, lanes: Iterable[str]) -> dict[str, Share]:
    """Return the share of every run that has rows waiting in one of the lanes, by the run's id.

    Workers take turns by priority (`worker.delivery.turns`). A worker with another profile than one that a run demands
    does not take its rows; which part of the fleet that is, is not in Redis, so all lanes of a model count as one.
    """
    listed = [entry for lane in lanes for entry in Roster(client, lane).listed()]
    counts = rows_in(client, [entry.queue for entry in listed])
    waiting = [entry for entry, rows in zip(listed, counts, strict=True) if rows]
    total = sum(weight(entry.priority) for entry in waiting)
    return {
        entry.queue.rpartition(".")[2]: Share(entry.priority, len(waiting), round(weight(entry.priority) / total, 4))
        for entry in waiting
    }
