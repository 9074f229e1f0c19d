"""A fleet of any size, calculated: where one Redis, one producer or one collector is the limit.

Pure: no clock, no process. Rows go in batches through four kinds of servers, each of which does one thing at a time:
the producer, Redis (which every row passes five times), a GPU, the collector. What each costs is measured elsewhere.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

#: Times that a row passes Redis: published, received, its outcome recorded, acknowledged, collected.
_PASSES: Final = 5

#: A GPU's batches differ by so much, so that a thousand of them do not ask at once.
_SPREAD: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class Costs:
    """CPU seconds of a row; `idle` is Redis' for a second of a worker."""

    producer: float
    redis: float
    collector: float
    idle: float = 0.0

    def limits(self, seconds_per_row: float) -> dict[str, float]:
        """Return how many GPUs each part feeds when it does nothing else."""
        return {
            "producer": seconds_per_row / self.producer,
            "Redis": 1 / (self.redis / seconds_per_row + self.idle),
            "collector": seconds_per_row / self.collector,
        }


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """What is simulated: GPUs on one run."""

    gpus: int
    seconds_per_row: float
    batch: int = 4
    #: Batches that a worker holds, that on its GPU among them; and rows of a run that may be unanswered.
    in_flight: int = 7
    max_queued: int = 50_000
    #: Simulated seconds, of which the first are not counted.
    seconds: float = 60.0
    warm_up: float = 30.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """Shares of the time, from 0 to 1, in which each part was at work, and what came of it."""

    gpus: float
    producer: float
    redis: float
    collector: float
    rows_per_s: float


@dataclass
class _Server:
    """Does one thing at a time, in the order in which it is asked; may be slowed down by what it does beside."""

    slowness: float = 1.0
    since: float = 0.0
    free: float = 0.0
    busy: float = 0.0

    def serve(self, now: float, seconds: float) -> float:
        """Return when it is done with what takes so long."""
        begin = max(now, self.free)
        self.free = begin + seconds * self.slowness
        self.busy += max(0.0, self.free - max(begin, self.since))
        return self.free


@dataclass
class _Simulation:
    fleet: Fleet
    costs: Costs
    now: float = 0.0
    events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    number: int = 0
    unanswered: int = 0
    queue: int = 0
    hungry: deque[int] = field(default_factory=deque)
    waits: bool = False
    done: int = 0

    def __post_init__(self) -> None:
        fleet, costs = self.fleet, self.costs
        self.random = random.Random(0)  # noqa: S311 - no secret
        # What idle connections cost is work, too, and is spread over the time.
        self.beside = min(0.99, costs.idle * fleet.gpus)
        self.redis = _Server(slowness=1 / (1 - self.beside), since=fleet.warm_up)
        self.producer, self.collector = _Server(since=fleet.warm_up), _Server(since=fleet.warm_up)
        self.gpus = [_Server(since=fleet.warm_up) for _ in range(fleet.gpus)]
        # All ask for their first batch before any asks for its second.
        self.hungry = deque(gpu for _ in range(fleet.in_flight) for gpu in range(fleet.gpus))

    def at(self, when: float, then: Callable[[], None]) -> None:
        self.number += 1
        heapq.heappush(self.events, (when, self.number, then))

    def through_redis(self) -> float:
        return self.redis.serve(self.now, self.costs.redis / _PASSES * self.fleet.batch)

    def produce(self) -> None:
        """Publish a batch of rows, unless too many are unanswered."""
        if self.unanswered + self.fleet.batch > self.fleet.max_queued:
            self.waits = True
            return
        self.waits = False
        self.unanswered += self.fleet.batch
        made = self.producer.serve(self.now, self.costs.producer * self.fleet.batch)
        self.at(made, lambda: self.at(self.through_redis(), self.arrive))
        self.at(made, self.produce)  # rows are published a thousand at a time: it hardly waits for Redis

    def arrive(self) -> None:
        self.queue += 1
        self.hand_out()

    def hand_out(self) -> None:
        while self.queue and self.hungry:
            self.queue -= 1
            gpu = self.hungry.popleft()
            self.at(self.through_redis(), lambda gpu=gpu: self.receive(gpu))  # type: ignore[misc]

    def receive(self, gpu: int) -> None:
        seconds = self.fleet.seconds_per_row * self.fleet.batch * self.random.uniform(1 - _SPREAD, 1 + _SPREAD)
        self.at(self.gpus[gpu].serve(self.now, seconds), lambda: self.answer(gpu))

    def answer(self, gpu: int) -> None:
        """Record the outcomes and acknowledge; the worker has a free hand, and the collector something to do."""
        if self.now >= self.fleet.warm_up:
            self.done += self.fleet.batch
        self.through_redis()
        acknowledged = self.through_redis()
        self.at(acknowledged, lambda: self.ask(gpu))
        self.at(acknowledged, self.collect)

    def ask(self, gpu: int) -> None:
        self.hungry.append(gpu)
        self.hand_out()

    def collect(self) -> None:
        read = self.through_redis()
        self.at(self.collector.serve(read, self.costs.collector * self.fleet.batch), self.collected)

    def collected(self) -> None:
        self.unanswered -= self.fleet.batch
        if self.waits:
            self.produce()

    def run(self) -> None:
        self.at(0.0, self.produce)
        while self.events and self.events[0][0] < self.fleet.seconds:
            self.now, _, then = heapq.heappop(self.events)
            then()


def simulate(fleet: Fleet, costs: Costs) -> Load:
    """Let a fleet work, and return how busy each part of it was."""
    simulation = _Simulation(fleet, costs)
    simulation.run()
    counted = fleet.seconds - fleet.warm_up

    def share(server: _Server) -> float:
        # What was begun and is not over is counted to the end only.
        return max(0.0, min(1.0, (server.busy - max(0.0, server.free - fleet.seconds)) / counted))

    return Load(
        gpus=sum(map(share, simulation.gpus)) / fleet.gpus,
        producer=share(simulation.producer),
        redis=share(simulation.redis) * (1 - simulation.beside) + simulation.beside,
        collector=share(simulation.collector),
        rows_per_s=simulation.done / counted,
    )
