"""The schedule of faults."""

from collections import Counter

import pytest

from tests.chaos.schedule import Kind, plan


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("rows", "faults", "switch"), [(400, 24, 268), (400, 20, 268), (72, 8, 36), (80, 10, 50)])
def test_every_kind_strikes_as_often_as_every_other(seed: int, rows: int, faults: int, switch: int) -> None:
    """Of so many faults each kind has its share, within one."""
    counts = Counter(fault.kind for fault in plan(seed=seed, rows=rows, faults=faults, switch=switch))
    assert counts.keys() == set(Kind)
    assert counts.total() == faults
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("seed", range(20))
def test_faults_strike_in_turn_while_there_are_rows(seed: int) -> None:
    """They follow one another, the submission's before it ends, the collection's after, with rows left at the end."""
    planned = plan(seed=seed, rows=400, faults=24, switch=268)
    assert [fault.at for fault in planned] == sorted(fault.at for fault in planned)
    assert planned[-1].at < 360
    assert planned[0] == (Kind.PRODUCER_KILLED, 0, planned[0].patient)
    assert all(fault.at < 260 for fault in planned if fault.kind is Kind.PRODUCER_KILLED)
    assert all(fault.at >= 268 for fault in planned if fault.kind is Kind.COLLECTOR_KILLED)


def test_a_seed_is_a_schedule() -> None:
    """The same seed strikes in the same way, another in another, and some faults before the last one is over."""
    first, again, other = (plan(seed=seed, rows=400, faults=24, switch=268) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert {fault.patient for fault in first} == {True, False}


def test_too_few_rows_are_refused() -> None:
    """Faults without rows between them would all strike at once."""
    with pytest.raises(ValueError, match="need at least as many rows"):
        plan(seed=1, rows=12, faults=24, switch=8)
