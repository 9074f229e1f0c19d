"""The fleet under test: Redis, and workers in their places."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfile

import redis

from tests.chaos.logs import Receipt, WorkerLog
from tests.chaos.place import Place
from tests.chaos.watching import watch
from tests.support.by_hand import waiting
from tests.support.servers import RedisServer, running_redis
from tests.support.workers import StartWorker
from worker.contract.outcomes import open_redis


class Fleet:
    """Redis and the workers."""

    def __init__(
        self,
        folder: Path,
        server: RedisServer,
        spare: RedisServer,
        *,
        workers: int,
        settings: Mapping[str, object],
        start: StartWorker,
    ) -> None:
        """`spare` is the server's replica."""
        self.server = server
        self.spare = spare
        self.settings = {**settings, "broker_url": server.url}
        self.places = [Place(f"w{number}", folder, self.settings, start) for number in range(workers)]

    def is_whole(self) -> bool:
        """Tell whether every place has a worker that takes rows."""
        return all(place.works for place in self.places)

    def queued(self) -> int:
        """Return the number of rows that wait in Redis; 0 where it is away."""
        with suppress(redis.RedisError), open_redis(self.server.url, patience=0) as client:
            return waiting(client)
        return 0

    def look(self) -> None:
        """Read every worker's log, and replace those that have ended."""
        for place in self.places:
            place.look()

    @property
    def logs(self) -> list[WorkerLog]:
        """The logs of all processes there ever were."""
        return [log for place in self.places for log in place.logs]

    @property
    def groups(self) -> list[int]:
        """The process groups of all of them, each of its own."""
        return [group for place in self.places for group in place.groups]

    @property
    def complaints(self) -> list[str]:
        """What went wrong with workers by itself."""
        return [complaint for place in self.places for complaint in place.complaints]

    def received_since(self, when: float, *, besides: WorkerLog) -> set[str]:
        """Return the rows that workers received since then, but for one worker."""
        receipts: Iterator[Receipt] = (it for log in self.logs if log is not besides for it in log.receipts)
        return {receipt.row for receipt in receipts if receipt.when >= when}

    def stop(self) -> None:
        """Tell every worker to end, and wait until they have."""
        for place in self.places:
            place.terminate()
        for place in self.places:
            place.wait()


@contextmanager
def running_fleet(folder: Path, *, workers: int, settings: Mapping[str, object], start: StartWorker) -> Iterator[Fleet]:
    """Run a fleet; at the end kill what is left of it."""
    with running_redis(replicated=True) as server, running_redis(replicated=True) as spare:
        spare.follow(server)
        fleet = Fleet(folder, server, spare, workers=workers, settings=settings, start=start)
        try:
            watch([fleet], fleet.is_whole, "the workers are ready")
            yield fleet
        finally:
            for place in fleet.places:
                place.clear()
            with suppress(OSError):
                copyfile(server.folder / "redis.log", folder / "redis.log")
                copyfile(spare.folder / "redis.log", folder / "redis-spare.log")


def now() -> float:
    """Return the seconds since the epoch, which is also the workers' logs' clock."""
    return time.time()
