"""What a run shares reaches a worker once, on a real Redis; where Redis lost it, no row fails, and none silently."""

import json
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
import redis
from celery.exceptions import Reject

from tests.support.requests import make_request, shared_of
from worker.contract.errors import GivenBack
from worker.contract.outcomes import open_redis
from worker.contract.redis_keys import KEPT, KEPT_FINISHED
from worker.contract.shared_parts import SharedParts
from worker.contract.sharing import SharedPart, Splitter
from worker.editing.joining import Joining
from worker.health.retrying import Retrying

RUNS = tuple(f"{number:016x}" for number in range(4))
KEY = f"fleet:run:{RUNS[0]}:shared"


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    """Connect to this test's Redis."""
    return open_redis(redis_url)


@pytest.fixture
def publish(client: redis.Redis) -> Callable[..., SharedPart]:
    """Publish what a run shares."""

    def put(run: str = RUNS[0], **given: Any) -> SharedPart:
        shared = shared_of(make_request(**given))
        SharedParts(client, run).put(shared.digest, shared.encode())
        return shared

    return put


def joining(client: redis.Redis, **given: Any) -> Joining:
    """Be one worker."""
    return Joining(client, Retrying(Event(), attempts=1), **given)


def row(shared: SharedPart, run: str = RUNS[0], **given: Any) -> tuple[dict[str, Any]]:
    """Return the arguments of a row's task."""
    return (json.loads(json.dumps(Splitter(shared).own(make_request(run=run, **given)))),)


def fetched(client: redis.Redis) -> int:
    """Count how often a shared part was fetched."""
    stats: Any = client.info("commandstats")
    return int(stats.get("cmdstat_hget", {}).get("calls", 0))


def test_it_is_fetched_once(client: redis.Redis, publish: Callable[..., SharedPart]) -> None:
    """Of a hundred rows the first one asks Redis."""
    shared, worker = publish(), joining(client)
    made = [worker.request(row(shared, row=number), {}) for number in range(100)]
    assert made == [make_request(run=RUNS[0], row=number) for number in range(100)]
    assert fetched(client) == 1


def test_rows_of_two_options_do_not_mix(client: redis.Redis, publish: Callable[..., SharedPart]) -> None:
    """A run that was submitted again with others has two, side by side."""
    old, new, worker = publish(steps=8), publish(steps=20), joining(client)
    steps = [
        worker.request(row(shared, steps=own), {}).steps for shared, own in ((old, 8), (new, 20), (old, 8), (new, 9))
    ]
    assert steps == [8, 20, 8, 9]


def test_a_worker_keeps_as_many_as_it_may(client: redis.Redis, publish: Callable[..., SharedPart]) -> None:
    """Those that it used last; another run's is fetched again."""
    worker = joining(client, most=2)
    for run in (RUNS[0], RUNS[1], RUNS[0], RUNS[2], RUNS[0], RUNS[1]):
        worker.request(row(publish(run), run), {})
    assert fetched(client) == 4


def test_a_lost_one_is_said_once_per_run(
    client: redis.Redis, publish: Callable[..., SharedPart], caplog: pytest.LogCaptureFixture
) -> None:
    """The rows leave the queue: whoever collects the run finds that nobody has them, and sends them again."""
    shared, worker = publish(), joining(client)
    client.delete(KEY)
    for number in range(3):
        with pytest.raises(Reject, match=rf"row {RUNS[0]}\.{number} is let go, .* is lost") as rejected:
            worker.request(row(shared, row=number), {})
        assert not rejected.value.requeue
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    publish()
    assert worker.request(row(shared), {}) == make_request(run=RUNS[0]), "it is there again"


def test_one_in_use_is_renewed(client: redis.Redis, publish: Callable[..., SharedPart]) -> None:
    """Each hour, also into a Redis that has lost it meanwhile: a run may take longer than Redis keeps what is its."""
    now = [0.0]
    shared, worker = publish(), joining(client, clock=lambda: now[0])
    worker.request(row(shared), {})
    client.delete(KEY)
    now[0] = 3599.0
    worker.request(row(shared), {})
    assert not client.exists(KEY)
    now[0] = 3601.0
    worker.request(row(shared), {})
    assert joining(client).request(row(shared), {}) == make_request(run=RUNS[0])
    assert KEPT - 5 < client.ttl(KEY) <= KEPT


def test_it_outlives_its_run_by_a_day(client: redis.Redis, publish: Callable[..., SharedPart]) -> None:
    """As long as a row that was sent twice may be with some worker."""
    publish()
    SharedParts(client, RUNS[0]).finished()
    assert KEPT_FINISHED - 5 < client.ttl(KEY) <= KEPT_FINISHED


@pytest.mark.parametrize("text", ["", "{}", "no JSON"])
def test_a_damaged_one_is_refused(client: redis.Redis, publish: Callable[..., SharedPart], text: str) -> None:
    """The row does not come back, and a sentence says why."""
    shared = publish()
    client.hset(KEY, shared.digest, text)
    with pytest.raises(Reject, match=r"^\('SharedPart does not decode: |^SharedPart does not decode: "):
        joining(client).request(row(shared), {})


def test_a_worker_that_ends_gives_the_row_back() -> None:
    """Where Redis does not answer; another worker asks again."""
    closing = Event()
    closing.set()
    with open_redis("redis://127.0.0.1:1/0", patience=None) as nobody, pytest.raises(GivenBack):
        Joining(nobody, Retrying(closing, attempts=1)).request(row(shared_of(make_request())), {})
