"""Which rows share a call of the model: single decisions by table, the long run by simulation."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from tests.support.policies import policy
from worker.batching.budget import Budget
from worker.batching.jobs import Adapter, BatchKey
from worker.batching.policy import Policy, Run, Wait, Waiting, choose
from worker.contract.buckets import Bucket
from worker.settings.fleet import load_settings

STYLE = Adapter("owner/style", Path("/style.safetensors"), "d", 1.0)
POLICY = policy(4, max_wait=10, at=Bucket(16 * ord("A"), 16))


def key(shape: str, num_images: int = 1) -> BatchKey:
    """Make the key of a shape that is named by a letter."""
    return BatchKey(
        bucket=Bucket(16 * ord(shape), 16), steps=8, guidance=3.5, true_cfg_scale=1.0, num_images=num_images
    )


def rows(shapes: str, *, num_images: int = 1) -> list[Waiting]:
    """Make a row per letter, all waiting since 0."""
    return [Waiting(key=key(shape, num_images), since=0) for shape in shapes]


@pytest.mark.parametrize(
    ("shapes", "now", "taken", "expected"),
    [
        ("", 0, 0, Wait(None)),  # nothing can happen before a row arrives
        ("A", 0, 0, Wait(10)),  # 10 - 0
        ("AAA", 9.5, 0, Wait(0.5)),  # 10 - 9.5
        ("AAA", 10, 0, Run((0, 1, 2))),  # waited long enough
        ("AAAA", 0, 0, Run((0, 1, 2, 3))),  # full: at once
        ("AAAAAA", 0, 0, Run((0, 1, 2, 3))),  # the oldest four of six
        ("ABBABBA", 0, 0, Run((1, 2, 4, 5))),  # B is full, A is not, though older
        ("ABBBBAAA", 0, 0, Run((0, 5, 6, 7))),  # both full: A's first row waited longest
        ("ABABAB", 9, 0, Wait(1)),  # three and three: neither is full
        ("ABB", 10, 0, Run((1, 2))),  # 2 rows of B, 1 of A
        ("ABAB", 10, 0, Run((0, 2))),  # 2 and 2: A is older
        ("BABA", 10, 0, Run((0, 2))),  # 2 and 2: B is older
        ("ABBBB", 0, 31, Run((1, 2, 3, 4))),  # 31 batches passed A by: the full batch still goes first
        ("ABBBB", 0, 32, Run((0,))),  # 32: A goes first, alone
        ("ABABBB", 0, 32, Run((0, 2))),  # ... with what there is of its key
        ("AAAAABBBB", 0, 32, Run((0, 1, 2, 3))),  # ... up to a full batch
    ],
)
def test_the_next_batch(shapes: str, now: float, taken: int, expected: Run | Wait) -> None:
    """Rows of one key, a full batch before a partial one, a partial one after 10 s, and a starving row first."""
    assert choose(rows(shapes), now=now, batches_taken=taken, policy=POLICY) == expected


@pytest.mark.parametrize(
    ("batch_size", "num_images", "limit"),
    [
        (4, 1, 4),
        (4, 2, 2),  # 4 // 2
        (4, 3, 1),  # 4 // 3
        (4, 9, 1),  # a row is never cut in two
        (16, 5, 3),  # 16 // 5
    ],
)
def test_images_per_row_divide_the_limit(batch_size: int, num_images: int, limit: int) -> None:
    """A batch holds as many whole rows as its images allow, and at least one."""
    some = policy(batch_size, max_wait=10, at=Bucket(16 * ord("A"), 16))
    waiting = rows("A" * 20, num_images=num_images)
    assert some.limit(waiting[0].key) == limit
    assert choose(waiting, now=0, batches_taken=0, policy=some) == Run(tuple(range(limit)))


@pytest.mark.parametrize(
    "other",
    [
        BatchKey(bucket=Bucket(256, 240), steps=8, guidance=3.5, true_cfg_scale=1.0, num_images=1),
        BatchKey(bucket=Bucket(256, 256), steps=9, guidance=3.5, true_cfg_scale=1.0, num_images=1),
        BatchKey(bucket=Bucket(256, 256), steps=8, guidance=2.5, true_cfg_scale=1.0, num_images=1),
        BatchKey(bucket=Bucket(256, 256), steps=8, guidance=3.5, true_cfg_scale=2.0, num_images=1),
        BatchKey(bucket=Bucket(256, 256), steps=8, guidance=3.5, true_cfg_scale=1.0, num_images=2),
        BatchKey(bucket=Bucket(256, 256), steps=8, guidance=3.5, true_cfg_scale=1.0, num_images=1, adapters=(STYLE,)),
        BatchKey(bucket=Bucket(256, 256), steps=8, guidance=3.5, true_cfg_scale=1.0, num_images=1, task="text2image"),
    ],
    ids=["bucket", "steps", "guidance", "true_cfg_scale", "num_images", "adapters", "task"],
)
def test_keys_are_never_mixed(other: BatchKey) -> None:
    """Rows that differ in anything that the pipeline holds once per call never ride together."""
    mine = BatchKey(bucket=Bucket(256, 256), steps=8, guidance=3.5, true_cfg_scale=1.0, num_images=1)
    waiting = [Waiting(key=k, since=0) for k in (mine, other, mine, other)]
    roomy = policy(8, max_wait=10)  # room for all four rows, also with two images each
    assert choose(waiting, now=10, batches_taken=0, policy=roomy) == Run((0, 2))


def test_the_oldest_row_decides_how_long_to_wait() -> None:
    """A younger row of the same key does not begin the wait anew."""
    waiting = [Waiting(key=key("A"), since=3), Waiting(key=key("A"), since=9)]
    assert choose(waiting, now=11, batches_taken=0, policy=POLICY) == Wait(2)  # 3 + 10 - 11


def simulate(weights: Sequence[float], *, batches: int, seed: int) -> tuple[float, int]:
    """Keep the GPU busy from an endless queue; return the share of rows in full batches and the longest wait.

    The worker holds `in_flight` rows, of which one batch is on the GPU and one is being encoded; for each
    row that leaves, another arrives. The wait is counted in batches.
    """
    rng = random.Random(seed)  # noqa: S311 - a simulation, no secret
    arrivals = (key(rng.choices("ABCDEFGH"[: len(weights)], weights)[0]) for _ in count())
    greedy = replace(POLICY, max_wait=0)
    room = load_settings(batch_size=4).in_flight - 2 * 4
    waiting: list[Waiting] = []
    sizes: Counter[int] = Counter()
    longest = 0
    for taken in range(batches):
        while len(waiting) < room:
            waiting.append(Waiting(key=next(arrivals), since=taken, arrived_at_batch=taken))
        decision = choose(waiting, now=taken, batches_taken=taken, policy=greedy)
        assert isinstance(decision, Run)
        assert len({waiting[place].key for place in decision.rows}) == 1
        longest = max(longest, *(taken - waiting[place].arrived_at_batch for place in decision.rows))
        sizes[len(decision.rows)] += len(decision.rows)
        waiting = [row for place, row in enumerate(waiting) if place not in decision.rows]
    return sizes[4] / sizes.total(), longest


@pytest.mark.parametrize(
    "weights",
    [
        (1, 1, 1, 1, 1, 1),  # 27 - 8 = 19 = 6 × 3 + 1 waiting rows: one of six shapes always has four
        (50, 30, 10, 5, 3, 2),
        (90, 2, 2, 2, 2, 2),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rows_ride_in_full_batches_and_none_starves(weights: Sequence[float], seed: int) -> None:
    """With six shapes and a long queue 90 % of the rows ride in full batches, and none waits for ever."""
    full, longest = simulate(weights, batches=2000, seed=seed)
    assert full >= 0.9
    assert longest <= POLICY.max_passed_over + len(weights)


def test_references_are_tokens_too() -> None:
    """A key whose rows have references of as many tokens again takes fewer of them, and never none."""
    plain = BatchKey(bucket=Bucket(1024, 1024), steps=4, guidance=1.0, true_cfg_scale=1.0, num_images=1)
    one, three = (plain._replace(references=(Bucket(1024, 1024),) * number) for number in (1, 3))
    assert (plain.tokens, one.tokens, three.tokens) == (8704, 12800, 20992)
    for images, limits in ((4, [4, 2, 1]), (1, [1, 1, 1])):
        budget = Budget(images=images, at=Bucket(1024, 1024), most=8)
        assert [Policy(budget=budget, max_wait=1.0).limit(key) for key in (plain, one, three)] == limits


def test_a_picture_of_another_shape_is_its_own_tokens() -> None:
    """Rows whose pictures have other shapes share no call, and a longer sequence takes fewer of them."""
    plain = BatchKey(bucket=Bucket(512, 512), steps=4, guidance=1.0, true_cfg_scale=1.0, num_images=1)
    wide = plain._replace(given=Bucket(1792, 592))
    assert (plain.tokens, wide.tokens) == (2560, 1536 + 112 * 37)
    policy = Policy(budget=Budget(images=4, at=Bucket(512, 512), most=8), max_wait=1.0)
    assert [policy.limit(key) for key in (plain, wide)] == [4, 1]
    waiting = [Waiting(key=key, since=0) for key in (plain, wide)]
    assert choose(waiting, now=9, batches_taken=0, policy=policy) == Run((1,)), "it is a full batch, alone"


def test_what_does_not_fit_with_references_says_nothing_of_calls_without() -> None:
    """Nor the other way round, but that calls with references are never larger for it."""
    plain = BatchKey(bucket=Bucket(1024, 1024), steps=4, guidance=1.0, true_cfg_scale=1.0, num_images=1)
    three = plain._replace(references=(Bucket(1024, 1024),) * 3)
    policy = Policy(budget=Budget(images=8, at=Bucket(1024, 1024), most=8), max_wait=1.0)
    assert [policy.limit(key) for key in (plain, three)] == [8, 2], "a power of two, of 3.3 that would have the tokens"
    assert [policy.without(three, 2).limit(key) for key in (plain, three)] == [8, 1]
    assert [policy.without(plain, 8).limit(key) for key in (plain, three)] == [4, 1]
