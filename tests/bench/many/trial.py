"""One measurement: real Redis, real workers with simulated GPUs, real submit and collect."""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from producer.run.ledger import Ledger
from tests.bench.many.processes import Broker, Command, begin, broker, cpu_of
from tests.bench.many.timeline import Answers, Done, answers, read
from tests.support.cli import CLI, row, write_jsonl
from tests.support.pictures import photo
from tests.support.waiting import wait_until
from tests.support.workers import WorkerProcess, start_worker

#: Shapes of the demo model, the square one first: small, so that the cores of this machine suffice for the pictures.
SHAPES: Final = ((256, 256), (304, 208), (208, 304), (352, 192), (192, 352), (272, 240))

#: Seconds after which idle workers do all that seldom that they can, and in which they are watched.
_SETTLED: Final = 3.0
_WATCHED: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is measured."""

    workers: int
    #: Rows of each run; runs are submitted one after the other.
    rows: Sequence[int]
    #: Seconds of the simulated GPU for a row, and what a call of any size takes beside.
    per_row: float
    per_call: float = 0.0
    shapes: int = 1
    batch_size: int = 4
    #: Whether the GPUs wait until every run was sent.
    held: bool = False
    #: Rows that the first worker has before the others are there.
    hoarded: int = 0

    @property
    def batch_seconds(self) -> float:
        """Seconds of a full batch."""
        return self.per_call + self.per_row * self.batch_size

    @property
    def ideal(self) -> float:
        """Rows per second of GPUs that do nothing but full batches of the square shape."""
        return self.workers * self.batch_size / self.batch_seconds


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found; costs in CPU seconds of the whole trial, without what a command costs before its first row."""

    batches: list[Done]
    #: When each run's command was begun, or the GPUs where these were held, and when it was answered; in the order of
    #: their submission.
    begun: list[float]
    answers: list[Answers]
    #: Without what idle workers cost it.
    redis: float
    #: Of Redis per second and worker, while nothing is to be done.
    redis_idle: float
    #: Bytes: what the run has added at most.
    redis_memory: int
    worker: float
    producer: float
    collector: float


@dataclass
class _Memory:
    """Watches how much a Redis holds."""

    redis: Broker
    least: int = 0
    most: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watched(self) -> Iterator[None]:
        self.least = self.most = self.redis.memory()
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            self.most = max(self.most, self.redis.memory())


def measure(trial: Trial) -> Found:
    """Measure."""
    with TemporaryDirectory(prefix="fleet-bench-") as place, broker() as redis:
        folder = Path(place)
        cli = CLI(folder, _settings(trial, folder, redis.url))
        (folder / _GATE).touch()
        for number, shape in enumerate(SHAPES[: trial.shapes]):
            photo("coffee", *shape, folder / f"{number}.jpg")
        names = [f"gpu{number}" for number in range(trial.workers)]
        alone = _idle(redis)
        workers = [start_worker(name, folder / f"{name}.log", cli.settings, app=_APP) for name in names]
        try:
            for worker in workers:
                worker.wait_until_ready()
            return _measured(trial, cli, redis, workers, alone)
        finally:
            for worker in workers:
                worker.process.terminate()
            for worker in workers:
                worker.stop()


#: A file: the GPUs work while it is there.
_GATE: Final = "gate"

_APP: Final = "tests.support.passthrough"


def _settings(trial: Trial, folder: Path, url: str) -> dict[str, object]:
    return {
        "passthrough_gate": folder / _GATE,
        "broker_url": url,
        "diffuser_model_name": "demo",
        "batch_size": trial.batch_size,
        "log_rows": False,
        "passthrough_seconds": trial.per_call,
        "passthrough_seconds_per_row": trial.per_row,
    }


def _measured(trial: Trial, cli: CLI, redis: Broker, workers: Sequence[WorkerProcess], alone: float) -> Found:
    # A row for each: what is imported with the first one, and what a command costs before its first.
    warm_up = _Costs(cli, "warm-up", trial.workers)
    idle = _idle(redis)
    begun = time.monotonic()
    redis_before, workers_before = redis.cpu(), _cpu(workers)
    memory = _Memory(redis)
    if trial.held:
        (cli.folder / _GATE).unlink()
    others = workers[1:] if trial.hoarded else []
    for worker in others:
        worker.process.send_signal(signal.SIGSTOP)
    with memory.watched():
        runs = [_Costs(cli, f"run{number}", rows, follow=True) for number, rows in enumerate(trial.rows)]
        wait_until(lambda: redis.in_hand() >= trial.hoarded, "the first worker has its rows")
        for worker in others:
            worker.process.send_signal(signal.SIGCONT)
        opened = time.time()
        (cli.folder / _GATE).touch()
        for run in runs:
            run.finish()
    redis_used, workers_used = redis.cpu() - redis_before, _cpu(workers) - workers_before
    took = time.monotonic() - begun
    batches = [batch for worker in workers for batch in read(worker.log)]
    assert len({batch.worker for batch in batches}) == trial.workers, "a worker had nothing to do"
    known = answers(batches)
    ours = [known[run.id] for run in runs]
    return Found(
        batches=[batch for batch in batches if not batch.rows[0].startswith(f"{warm_up.id}.")],
        begun=[opened if trial.held else run.begun for run in runs],
        answers=ours,
        redis=max(0.0, redis_used - idle * took),
        redis_idle=max(0.0, idle - alone) / trial.workers,
        redis_memory=memory.most - memory.least,
        worker=workers_used,
        producer=sum(max(0.0, run.producer - warm_up.producer) for run in runs),
        collector=sum(max(0.0, run.collector - warm_up.collector) for run in runs),
    )


def _cpu(workers: Sequence[WorkerProcess]) -> float:
    return sum(cpu_of(worker.process.pid) for worker in workers)


def _idle(redis: Broker) -> float:
    """Return Redis' CPU seconds per second while nothing is to be done."""
    time.sleep(_SETTLED)
    before = redis.cpu()
    time.sleep(_WATCHED)
    return (redis.cpu() - before) / _WATCHED


class _Costs:
    """A run that is submitted, and collected as it goes on; with what both commands cost."""

    def __init__(self, cli: CLI, name: str, rows: int, *, follow: bool = False) -> None:
        pictures = len([*cli.folder.glob("*.jpg")])
        lines = [row(f"{number % pictures}.jpg", f"Make it {number}.") for number in range(rows)]
        write_jsonl(cli.folder / f"{name}.jsonl", list(lines))
        self.begun = time.time()
        command = begin(cli, "submit", f"{name}.jsonl", "--run-dir", name, "--max-queued", max(1, rows), "--quiet")
        self.producer = command.cpu()
        self._collect: Command = begin(cli, "collect", name, "--quiet")
        self.collector = 0.0
        with Ledger(cli.folder / name, read_only=True) as ledger:
            self.id = ledger.run
        if not follow:
            self.finish()

    def finish(self) -> None:
        """Wait until every row is collected."""
        self.collector = self._collect.cpu()
