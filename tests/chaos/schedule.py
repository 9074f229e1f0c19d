"""Which fault strikes when: a schedule that follows from a seed; pure."""

from enum import StrEnum
from itertools import cycle, islice
from random import Random
from typing import NamedTuple


class Kind(StrEnum):
    """What can happen to a fleet."""

    WORKER_KILLED = "worker killed"
    WORKER_STOPPED = "worker stopped"
    WORKER_FROZEN = "worker frozen"
    REDIS_RESTARTED = "Redis restarted"
    REDIS_FAILED_OVER = "Redis failed over"
    REDIS_REFUSED = "Redis refused"
    PRODUCER_KILLED = "producer killed"
    COLLECTOR_KILLED = "collector killed"


class Planned(NamedTuple):
    """A fault of the schedule."""

    kind: Kind
    #: Rows that are edited when it strikes.
    at: int
    #: Whether it waits until the fleet has recovered from the one before, as long as the rows last.
    patient: bool


def plan(*, seed: int, rows: int, faults: int, switch: int) -> list[Planned]:
    """Plan faults for a run whose submission ends, and whose collection begins, once `switch` rows are edited.

    Every kind comes as often as every other, within one. Raises ValueError where the rows do not suffice.
    """
    random = Random(seed)  # noqa: S311 - it hides nothing; it repeats
    kinds = list(islice(cycle(Kind), faults))
    late = max(kinds.count(Kind.COLLECTOR_KILLED), round(faults * (rows - switch) / rows))
    early = faults - late
    # A tenth of the rows is left for after the last one, so that every fault has rows to endanger.
    moments = [*_spread(random, 0, switch, early), *_spread(random, switch, rows - rows // 10, late)]
    # The first as soon as it is there.
    collected = [early, *random.sample(range(early + 1, faults), kinds.count(Kind.COLLECTOR_KILLED) - 1)]
    # The first while it publishes; and none just before the switch: where the fleet is late, it might be over.
    submitted = [0, *random.sample(range(1, early - 1), kinds.count(Kind.PRODUCER_KILLED) - 1)]
    others = [kind for kind in kinds if kind not in {Kind.COLLECTOR_KILLED, Kind.PRODUCER_KILLED}]
    random.shuffle(others)
    fixed = dict.fromkeys(collected, Kind.COLLECTOR_KILLED) | dict.fromkeys(submitted, Kind.PRODUCER_KILLED)
    return [
        Planned(kind=fixed.get(place) or others.pop(), at=at, patient=random.random() < 2 / 3)
        for place, at in enumerate(moments)
    ]


def _spread(random: Random, begin: int, end: int, count: int) -> list[int]:
    """Choose a moment in each of `count` stretches of equal length, the first at the begin."""
    if end - begin < count:
        raise ValueError(f"{count} faults need at least as many rows, found {end - begin}")
    length = (end - begin) / count
    later = [begin + int(length * number + random.uniform(0, length / 2)) for number in range(1, count)]
    return [begin, *later]
