"""The thread that drives the model: every row gets its own result, whatever happens to its neighbours."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

import pytest

from tests.support.policies import policy
from worker.batching.batch_runner import Batched, BatchRunner
from worker.batching.circuit_breaker import CircuitBreaker
from worker.batching.jobs import BatchKey
from worker.batching.microbatcher import MicroBatcher
from worker.batching.policy import Policy
from worker.contract.buckets import Bucket
from worker.contract.errors import GivenBack, ModelError, PassedOn, Unwanted

KEY = BatchKey(bucket=Bucket(256, 256), steps=8, guidance=3.5, true_cfg_scale=1.0, num_images=1)
OTHER = KEY._replace(steps=9)
#: Only full batches run: the test decides when.
FULL_ONLY = policy(4, max_wait=3600)
AT_ONCE = policy(4, max_wait=0)
#: Seconds after which a test fails instead of hanging.
PATIENCE = 10

Batcher = MicroBatcher[int, int]
Start = Callable[[Policy], Batcher]


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


class Squares:
    """A model: squares a number, takes 2.5 s by the clock, and cannot bear 13."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.batches: list[list[int]] = []
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.may_end.set()

    def __call__(self, key: BatchKey, jobs: Sequence[int], most: int) -> list[int]:
        """Answer a micro-batch."""
        del most
        self.batches.append(list(jobs))
        self.begun.set()
        assert self.may_end.wait(PATIENCE)
        self._clock.now += 2.5
        if 13 in jobs:
            raise ValueError("thirteen")
        return [job**2 for job in jobs] if key == KEY else [-job for job in jobs]


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands at 0."""
    return Clock()


@pytest.fixture
def model(clock: Clock) -> Squares:
    """Return a model whose batches end at once."""
    return Squares(clock)


@pytest.fixture
def broken() -> list[ModelError]:
    """Collect what a batcher says of its model when that is broken."""
    return []


@pytest.fixture
def start(clock: Clock, model: Squares, broken: list[ModelError]) -> Iterator[Start]:
    """Return a way to start batchers; they are closed at the end."""
    started: list[Batcher] = []

    def make(policy: Policy) -> Batcher:
        runner = BatchRunner(model, policy, breaker=CircuitBreaker(lambda _: None, limit=3), clock=clock)
        started.append(MicroBatcher(runner, on_broken=broken.append, clock=clock))
        return started[-1]

    yield make
    model.may_end.set()
    for batcher in started:
        batcher.close()


def answers(futures: list[Future[Batched[int]]]) -> list[Batched[int]]:
    """Wait for all rows."""
    return [future.result(PATIENCE) for future in futures]


def test_every_row_gets_its_own_result(start: Start, model: Squares) -> None:
    """Jobs ride by key in order of arrival, and each future has its own job's result."""
    batcher = start(FULL_ONLY)
    futures = [batcher.submit(KEY if job % 2 else OTHER, job) for job in range(20, 36)]
    assert [row.result for row in answers(futures)] == [job**2 if job % 2 else -job for job in range(20, 36)]
    assert sorted(model.batches) == [[20, 22, 24, 26], [21, 23, 25, 27], [28, 30, 32, 34], [29, 31, 33, 35]]


def test_many_threads_may_submit(start: Start) -> None:
    """Results are not mixed up when rows come from many threads at once."""
    batcher = start(AT_ONCE)
    found: dict[int, int] = {}

    def edit(job: int) -> None:
        found[job] = batcher.submit(KEY, job).result(PATIENCE).result

    threads = [threading.Thread(target=edit, args=[job]) for job in range(100, 150)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert found == {job: job**2 for job in range(100, 150)}


def test_a_partial_batch_runs_without_company(start: Start) -> None:
    """A row whose time is up does not wait for others."""
    [row] = answers([start(AT_ONCE).submit(KEY, 3)])
    assert (row.result, row.size, row.limit) == (9, 1, 4)


def test_rows_know_their_batch(start: Start) -> None:
    """Rows of one batch share its id, size and limit; another batch has another id."""
    batcher = start(FULL_ONLY)
    rows = answers([batcher.submit(KEY, job) for job in range(8)])
    assert [(row.size, row.limit) for row in rows] == [(4, 4)] * 8
    assert len({row.batch_id for row in rows[:4]}) == len({row.batch_id for row in rows[4:]}) == 1
    assert rows[0].batch_id != rows[4].batch_id


def test_rows_know_their_times(start: Start, clock: Clock) -> None:
    """A row reports how long it waited for its batch, and how long the batch took."""
    batcher = start(FULL_ONLY)
    futures = []
    for now in (0, 1, 2, 4):
        clock.now = now
        futures.append(batcher.submit(KEY, now))
    assert [(row.waited, row.took) for row in answers(futures)] == [(4, 2.5), (3, 2.5), (2, 2.5), (0, 2.5)]


def test_only_the_bad_row_fails(start: Start, model: Squares) -> None:
    """A failing batch is run again in halves, and only the row at fault gets the error."""
    batcher = start(FULL_ONLY)
    futures = [batcher.submit(KEY, job) for job in (12, 13, 14, 15)]
    assert [futures[place].result(PATIENCE).result for place in (0, 2, 3)] == [144, 196, 225]
    with pytest.raises(ValueError, match="thirteen"):
        futures[1].result(PATIENCE)
    assert model.batches == [[12, 13, 14, 15], [12, 13], [12], [13], [14, 15]]
    assert [futures[place].result().size for place in (0, 2, 3)] == [1, 2, 2]


def test_the_thread_outlives_a_bad_row(start: Start) -> None:
    """After a failed row the next one is edited as usual."""
    batcher = start(AT_ONCE)
    assert isinstance(batcher.submit(KEY, 13).exception(PATIENCE), ValueError)
    assert batcher.submit(KEY, 5).result(PATIENCE).result == 25


def test_closing_gives_waiting_rows_back_at_once(start: Start, model: Squares) -> None:
    """`close` gives waiting rows back while the batch on the GPU still runs, and that batch gets its results."""
    model.may_end.clear()
    batcher = start(FULL_ONLY)
    running = [batcher.submit(KEY, job) for job in range(4)]
    assert model.begun.wait(PATIENCE)
    waiting = [batcher.submit(KEY, job) for job in range(4, 10)]
    batcher.close()
    # Already done, without a look at the clock: the model has not ended yet.
    assert all(future.done() and isinstance(future.exception(), GivenBack) for future in waiting)
    assert not any(future.done() for future in running)
    model.may_end.set()
    assert [row.result for row in answers(running)] == [0, 1, 4, 9]
    assert model.batches == [[0, 1, 2, 3]]


def test_rows_behind_a_batch_may_be_passed_on(start: Start, model: Squares) -> None:
    """Those that may go, and not the batch on the GPU; those that stay, and those that come, are edited as ever."""
    model.may_end.clear()
    batcher = start(FULL_ONLY)
    running = [batcher.submit(KEY, job) for job in range(4)]
    assert model.begun.wait(PATIENCE)
    waiting = [batcher.submit(KEY, job) for job in range(4, 8)]
    assert batcher.pass_on(lambda job: job in {0, 4, 5})
    assert [future.done() and isinstance(future.exception(), PassedOn) for future in waiting] == [True] * 2 + [
        False
    ] * 2
    later = [batcher.submit(KEY, job) for job in (8, 9)]
    model.may_end.set()
    assert [row.result for row in answers([*running, *waiting[2:], *later])] == [0, 1, 4, 9, 36, 49, 64, 81]


def test_rows_that_are_the_next_batch_are_not_passed_on(start: Start) -> None:
    """While the GPU waits for others of their kind, nobody could begin them sooner."""
    batcher = start(FULL_ONLY)
    waiting = [batcher.submit(KEY, job) for job in range(3)]
    assert not batcher.pass_on(lambda _: True)
    assert [row.result for row in answers([*waiting, batcher.submit(KEY, 3)])] == [0, 1, 4, 9]


def test_a_row_that_comes_too_late_is_given_back(start: Start, model: Squares) -> None:
    """A row submitted after `close` is given back and never reaches the model."""
    batcher = start(AT_ONCE)
    batcher.close()
    assert isinstance(batcher.submit(KEY, 1).exception(PATIENCE), GivenBack)
    assert model.batches == []


def test_a_cancelled_row_does_not_reach_the_model(start: Start, model: Squares) -> None:
    """A row that is cancelled while it waits leaves its place to others; one on the GPU can no longer be cancelled."""
    model.may_end.clear()
    batcher = start(FULL_ONLY)
    running = [batcher.submit(KEY, job) for job in range(4)]
    assert model.begun.wait(PATIENCE)
    waiting = [batcher.submit(KEY, job) for job in range(4, 9)]
    assert waiting[0].cancel()
    assert not running[0].cancel()
    model.may_end.set()
    assert [row.result for row in answers([*running, *waiting[1:]])] == [0, 1, 4, 9, 25, 36, 49, 64]
    assert model.batches == [[0, 1, 2, 3], [5, 6, 7, 8]]


def test_a_broken_model_fails_no_row(start: Start, model: Squares, broken: list[ModelError]) -> None:
    """Once the model is found broken, its batch and all waiting rows are given back, and new ones, too."""
    batcher = start(FULL_ONLY)
    model.may_end.clear()
    futures = [batcher.submit(KEY, 13) for _ in range(4)]
    assert model.begun.wait(PATIENCE)
    futures += [batcher.submit(KEY, 7) for _ in range(2)]
    model.may_end.set()
    assert [isinstance(future.exception(PATIENCE), GivenBack) for future in futures] == [False] * 2 + [True] * 4
    assert batcher.closing.wait(PATIENCE)
    assert isinstance(batcher.submit(KEY, 1).exception(PATIENCE), GivenBack)
    [error] = broken
    assert str(error) == "The model failed on 3 rows, one after the other (ValueError: thirteen)."


def test_whatever_ends_the_thread_ends_the_worker(broken: list[ModelError], model: Squares) -> None:
    """A fault of our own before the model is called gives every row back, and says so; no row waits for ever."""

    def objections(jobs: Sequence[int]) -> list[None]:
        raise KeyError(len(jobs))

    runner = BatchRunner(model, AT_ONCE, breaker=CircuitBreaker(lambda _: None, limit=3))
    batcher = MicroBatcher(runner, on_broken=broken.append, objections=objections)
    assert isinstance(batcher.submit(KEY, 3).exception(PATIENCE), GivenBack)
    assert batcher.closing.wait(PATIENCE)
    assert [str(error) for error in broken] == ["The GPU's thread failed (KeyError: 1)."]


def test_a_row_with_an_objection_is_not_run(model: Squares, broken: list[ModelError]) -> None:
    """What stands against a row just before its batch begins is its answer; the others ride."""
    runner = BatchRunner(model, FULL_ONLY, breaker=CircuitBreaker(lambda _: None, limit=3))
    batcher = MicroBatcher(
        runner, on_broken=broken.append, objections=lambda jobs: [Unwanted("no") if job == 2 else None for job in jobs]
    )
    futures = [batcher.submit(KEY, job) for job in range(4)]
    assert [future.result(PATIENCE).result for future in futures if future is not futures[2]] == [0, 1, 9]
    assert isinstance(futures[2].exception(PATIENCE), Unwanted)
    assert model.batches == [[0, 1, 3]]
    batcher.close()
