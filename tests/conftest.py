"""What the tests share: real Redis servers, real workers, and pictures."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from producer.local.redis import running
from tests.support.cli import CLI
from tests.support.hub import running_hub
from tests.support.launching import forked_python, share_launchers
from tests.support.object_store import ObjectStore, running_object_store
from tests.support.workers import WorkerProcess, fork_worker, start_worker

Start = Callable[..., WorkerProcess]

# Read when a test module loads torch: two threads that wait for each other crawl where other tests want the same cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # where a test wants two all the same
# Whether the compiler knows this CPU's vectors is not tried anew, ten seconds of a core, for each folder of kernels.
os.environ.setdefault("TORCHINDUCTOR_VEC_ISA_OK", "1")
# The library `datasets` tells a server of each file that is loaded, local ones, too.
os.environ.setdefault("HF_UPDATE_DOWNLOAD_COUNTS", "0")


@dataclass(frozen=True)
class Fleet:
    """A worker that tests share."""

    worker: WorkerProcess
    settings: Mapping[str, object]

    def cli(self, folder: Path) -> CLI:
        """Call `producer` in a folder, on this worker's Redis."""
        return CLI(folder, self.settings)


def pytest_configure(config: pytest.Config) -> None:
    """Let the tests interrupt what they start, also where they run in the background, which ignores Ctrl-C.

    And where they run in several processes, have those share what all processes of tests are forked from, and be
    forked from it themselves.
    """
    if config.getoption("numprocesses", None):
        share_launchers()
        config.option.tx = [f"popen//python={forked_python()}"] * len(config.option.tx)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def session_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one Redis for tests that share workers; each test has its own run, and runs do not meet."""
    with running(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """Run a Redis for this test alone."""
    with running(tmp_path) as server:
        yield server.url


@pytest.fixture
def start(redis_url: str, tmp_path: Path) -> Iterator[Start]:
    """Start real workers on this test's Redis; stop them afterwards. `fresh`: as a user does, libraries and all."""
    workers: list[WorkerProcess] = []

    def start_one(name: str = "w0", *, app: str = "worker", fresh: bool = False, **settings: object) -> WorkerProcess:
        begin = start_worker if fresh else fork_worker
        workers.append(begin(name, tmp_path / f"{name}.log", {"broker_url": redis_url, **settings}, app=app))
        return workers[-1]

    yield start_one
    for worker in workers:
        worker.stop()


@pytest.fixture
def start_plain(start: Start) -> Start:
    """Start real workers whose model edits nothing: in two seconds, and each row takes hardly any."""
    return partial(start, app="tests.support.passthrough")


@pytest.fixture
def start_faulty(start: Start) -> Start:
    """Start real workers whose model and file share break on demand."""
    return partial(start, app="tests.support.faulty", visibility_timeout=4)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """Name a file that workers with `passthrough_gate` wait for in each batch; `touch` opens it, at last the end."""
    path = tmp_path / "gate"
    yield path
    path.touch()


@pytest.fixture(scope="session")
def shared_workers(
    session_redis: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[WorkerProcess, WorkerProcess]]:
    """Run two workers with the demo model for the whole session, since each takes seconds to import torch."""
    folder = tmp_path_factory.mktemp("workers")
    environment = {"broker_url": session_redis}
    pair = (
        fork_worker("gpu0", folder / "gpu0.log", environment),
        fork_worker("gpu1", folder / "gpu1.log", environment),
    )
    for worker in pair:
        worker.wait_until_ready()
    yield pair
    for worker in pair:
        worker.stop()


@pytest.fixture(scope="session")
def passthrough(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Run a worker whose model edits nothing, on a Redis of its own, for the whole session."""
    folder = tmp_path_factory.mktemp("passthrough")
    with running(folder) as server:
        environment = {"broker_url": server.url, "rows_in_flight": 32}
        worker = fork_worker("plain", folder / "plain.log", environment, app="tests.support.passthrough")
        worker.wait_until_ready()
        yield Fleet(worker, environment)
        worker.stop()


@pytest.fixture(scope="session")
def hub() -> Iterator[str]:
    """Run a hub of models on this machine; return its URL."""
    with running_hub() as url:
        yield url


@pytest.fixture(scope="session")
def store_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """Run an S3 server for the whole session; each test has keys of its own."""
    with running_object_store(tmp_path_factory.mktemp("store")) as store:
        yield store


@pytest.fixture
def store(store_server: ObjectStore) -> ObjectStore:
    """Take the S3 server with nothing planned to go wrong."""
    store_server.connection.calm()
    return store_server


@pytest.fixture
def cli(redis_url: str, tmp_path: Path) -> CLI:
    """Call `producer` on this test's Redis, with the demo model, in the test's own folder."""
    return CLI(tmp_path, {"broker_url": redis_url})


@pytest.fixture
def fleet_cli(session_redis: str, shared_workers: object, tmp_path: Path) -> CLI:
    """Call `producer` on the Redis of the shared workers."""
    del shared_workers
    return CLI(tmp_path, {"broker_url": session_redis})
