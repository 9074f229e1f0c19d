"""What an earlier version left in Redis: rows in queues that no worker of this one takes."""

from typing import NamedTuple

import redis

from worker.contract.counting import counted
from worker.contract.lanes import older_queues
from worker.contract.roster import Roster, rows_in


class Left(NamedTuple):
    """What was found."""

    rows: int
    queues: tuple[str, ...]

    def __str__(self) -> str:
        queues = " and ".join(self.queues)
        rows = counted(self.rows, "row waits", "rows wait")
        return f"{rows} in {queues}, where an earlier version sent them and no worker of this one looks"


def left_by_older(client: redis.Redis, model: str) -> Left | None:
    """Count the rows of a model that wait in queues of earlier versions; None where there are none."""
    found: dict[str, int] = {}
    for lane in older_queues(model):
        runs = [entry.queue for entry in Roster(client, lane).listed()]  # since version 4; earlier ones had none
        own, *others = rows_in(client, [lane, *runs])
        found |= {name: rows for name, rows in ((lane, own), (f"{lane}.<run>", sum(others))) if rows}
    return Left(sum(found.values()), tuple(found)) if found else None


#: What to do about it.
ADVICE = "have workers of that version finish them, or delete these queues (docs/guides/several-machines.md, Updating)"
