"""Fleets that are calculated: each part is the limit where its cost says so, and nowhere else."""

import pytest

from tests.bench.many.simulation import Costs, Fleet, simulate

CHEAP = Costs(producer=1e-6, redis=1e-6, collector=1e-6)


def fleet(gpus: int, seconds_per_row: float = 0.5) -> Fleet:
    """Return a fleet."""
    return Fleet(gpus=gpus, seconds_per_row=seconds_per_row, warm_up=120.0, seconds=360.0, max_queued=32 * gpus)


def test_without_costs_every_gpu_is_busy() -> None:
    """A hundred of them edit as many rows as a hundred do, and nothing else is at work for long."""
    load = simulate(fleet(100), CHEAP)
    assert load.gpus > 0.999
    assert load.rows_per_s == pytest.approx(200, rel=0.03)
    assert max(load.producer, load.redis, load.collector) < 0.01


@pytest.mark.parametrize("part", ["producer", "redis", "collector"])
def test_what_is_dear_is_the_limit(part: str) -> None:
    """A part that takes 10 ms a row lets 100 rows a second pass, of whichever number of GPUs, and is never idle."""
    costs = Costs(**{"producer": 1e-6, "redis": 1e-6, "collector": 1e-6, part: 0.01})
    load = simulate(fleet(100), costs)
    assert load.rows_per_s == pytest.approx(100, rel=0.1)
    assert getattr(load, part) > 0.99
    assert load.gpus == pytest.approx(0.5, rel=0.1)
    name = "Redis" if part == "redis" else part
    assert costs.limits(0.5)[name] == pytest.approx(50)


def test_costs_that_suffice_are_no_limit() -> None:
    """Parts that are busy half of the time leave the GPUs all of theirs."""
    costs = Costs(producer=0.0025, redis=0.0025, collector=0.0025)
    load = simulate(fleet(100), costs)
    assert load.gpus > 0.99
    assert [load.producer, load.redis, load.collector] == pytest.approx([0.5] * 3, rel=0.05)


def test_connections_that_do_nothing_cost_redis_too() -> None:
    """Half of Redis gone to a hundred connections leaves half of the rows."""
    costs = Costs(producer=1e-6, redis=0.01, collector=1e-6, idle=0.005)
    load = simulate(fleet(100), costs)
    assert load.rows_per_s == pytest.approx(50, rel=0.1)
    assert load.redis > 0.99
