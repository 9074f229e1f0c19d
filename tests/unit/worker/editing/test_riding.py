"""Turns of rows ride in micro-batches like any other row."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from tests.support.policies import policy
from tests.support.requests import make_request
from tests.support.waiting import wait_until
from worker.batching.batch_runner import BatchRunner
from worker.batching.circuit_breaker import CircuitBreaker
from worker.batching.jobs import BatchKey, EditJob, Ticket
from worker.batching.microbatcher import MicroBatcher
from worker.contract.buckets import plan_fit
from worker.contract.catalog import MODELS
from worker.contract.errors import ModelError, PassedOn
from worker.contract.messages import EditRequest
from worker.contract.turns import turns_of
from worker.editing.preparing import Prepared
from worker.editing.riding import Rides


class Mirror:
    """A model that hands pictures back, and waits before each batch until it may."""

    def __init__(self) -> None:
        self.batches: list[list[EditJob]] = []
        self.may_end = threading.Event()

    def __call__(self, key: BatchKey, jobs: Sequence[EditJob], most: int) -> list[list[Image.Image]]:
        """Answer a micro-batch."""
        del key, most
        self.batches.append([*jobs])
        assert self.may_end.wait(60)
        return [[one.image for one, _ in job.each() if one.image] for job in jobs]


def prepared(*shades: int) -> Prepared:
    """Make what a turn gets: pictures of one colour each."""
    plan = plan_fit(64, 64, MODELS["demo"].buckets, "auto")
    return Prepared(plan, tuple(Image.new("RGB", plan.bucket, (shade,) * 3) for shade in shades))


def ticket(row: int) -> Ticket:
    """Name a row's delivery."""
    return Ticket("run", row, f"task-{row}", f"tag-{row}")


def fail(error: ModelError) -> None:
    """Fail where the model is broken: it is not."""
    raise error


@pytest.fixture
def model() -> Mirror:
    """Make the model."""
    return Mirror()


@pytest.fixture
def rides(model: Mirror) -> Rides:
    """Ride in batches of two rows with two images each, in nothing less."""
    runner = BatchRunner(model, policy(4, max_wait=3600), breaker=CircuitBreaker(lambda _: None, limit=3))
    return Rides(MicroBatcher(runner, on_broken=fail))


TWO_TURNS, ONE_TURN = make_request(earlier_prompts=("w",), seed=1), make_request(seed=2)


def test_a_row_in_its_second_turn_shares_a_batch_with_one_in_its_first(model: Mirror, rides: Rides) -> None:
    """Each image of it is made from a picture of its own; of the other all are made from one."""
    model.may_end.set()
    with ThreadPoolExecutor(2) as threads:
        second = threads.submit(rides.ride, TWO_TURNS, turns_of(TWO_TURNS)[1], prepared(10, 20), ticket(1), ())
        first = threads.submit(rides.ride, ONE_TURN, turns_of(ONE_TURN)[0], prepared(30), ticket(2), ())
        shades = [[picture.getpixel((0, 0)) for picture in one.result(60).result] for one in (second, first)]
    assert shades == [[(10,) * 3, (20,) * 3], [(30,) * 3] * 2]
    assert [{job.ticket.row for job in batch} for batch in model.batches] == [{1, 2}]


def test_a_row_that_has_had_a_turn_is_not_passed_on(model: Mirror, rides: Rides) -> None:
    """Whoever got it would begin anew; a row in its first turn goes."""

    def ride(request: EditRequest, turn: int, row: int) -> None:
        rides.ride(request, turns_of(request)[turn], prepared(10), ticket(row), ())

    other = make_request(steps=9)
    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(ride, ONE_TURN, 0, row) for row in (1, 2)]
        wait_until(lambda: bool(model.batches), "a batch is on its way")
        stays = threads.submit(ride, TWO_TURNS, 1, 3)
        goes = threads.submit(ride, other, 0, 4)
        wait_until(lambda: rides.pass_on({"tag-3", "tag-4"}) and goes.done(), "one was passed on")
        assert isinstance(goes.exception(60), PassedOn)
        assert not stays.done()
        last = threads.submit(ride, ONE_TURN, 0, 5)  # fills the batch of the row that stays
        model.may_end.set()
        assert [one.result(60) for one in (*running, stays, last)] == [None] * 4
