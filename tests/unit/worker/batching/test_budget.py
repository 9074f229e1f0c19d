"""How many images share a call: a budget of tokens, bounded by memory; with the arithmetic beside each case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.batching.budget import Budget, Memory, sizes, split
from worker.contract.buckets import DEMO_BUCKETS, KONTEXT_BUCKETS, Bucket

SQUARE = Bucket(1024, 1024)


@pytest.mark.parametrize(
    ("bucket", "tokens"),
    [
        (Bucket(1024, 1024), 8704),  # 2 x 64 x 64 + 512
        (Bucket(512, 512), 2560),  # 2 x 32 x 32 + 512
        (Bucket(800, 1328), 8812),  # 2 x 50 x 83 + 512
        (Bucket(256, 256), 1024),  # 2 x 16 x 16 + 512
    ],
)
def test_tokens_of_a_resolution(bucket: Bucket, tokens: int) -> None:
    """One for 16 x 16 pixels of the image and of the one that it is made from, and 512 of the instruction."""
    assert bucket.tokens == tokens


@pytest.mark.parametrize(
    ("images", "bucket", "expected"),
    [
        (4, Bucket(1024, 1024), 4),
        (4, Bucket(800, 1328), 4),  # 1 % more tokens is about the same
        (6, Bucket(672, 1568), 6),  # the user's own number is kept as it is
        (4, Bucket(768, 768), 4),  # 4 x 8704 / 5120 = 6.8, of which the power of two is 4
        (4, Bucket(512, 512), 8),  # 4 x 8704 / 2560 = 13.6
        (4, Bucket(256, 256), 16),  # 4 x 8704 / 1024 = 34, but no more than `most`
        (1, Bucket(512, 512), 2),  # 8704 / 2560 = 3.4
        (4, Bucket(2048, 2048), 1),  # 4 x 8704 / 33280 = 1.05
        (1, Bucket(2048, 2048), 1),  # 0.26: never less than one
    ],
)
def test_small_resolutions_take_more(images: int, bucket: Bucket, expected: int) -> None:
    """The tokens of a call are bounded, and so its images are more where each has fewer tokens."""
    assert Budget(images=images, at=SQUARE, most=16).images_at(bucket) == expected


@pytest.mark.parametrize(
    ("free", "bucket", "expected"),
    [
        (8704 * 4, SQUARE, 4),  # just enough for four
        (8704 * 4 - 1, SQUARE, 2),  # for three, of which the power of two is 2
        (8704 * 1.5, SQUARE, 1),
        (0, SQUARE, 1),  # one is always tried: the error then has the numbers
        (8704 * 4, Bucket(512, 512), 8),  # 34816 / 2560 = 13.6
        (2560 * 7, Bucket(512, 512), 4),
        (10**9, SQUARE, 4),  # more memory is no reason for more images
    ],
)
def test_memory_bounds_the_budget(free: float, bucket: Bucket, expected: int) -> None:
    """No more images than the memory that was measured holds, at one byte per token."""
    memory = Memory(free=int(free), per_token=1.0)
    assert Budget(images=4, at=SQUARE, most=16, memory=memory).images_at(bucket) == expected


@pytest.mark.parametrize("buckets", [KONTEXT_BUCKETS, DEMO_BUCKETS], ids=["FLUX-Kontext", "demo"])
def test_every_resolution_of_a_model_takes_the_same(buckets: tuple[Bucket, ...]) -> None:
    """The batch size that the user sets holds at each of the model's own resolutions, for any shape of picture."""
    (square,) = (bucket for bucket in buckets if bucket.ratio == 1)
    assert {Budget(images=5, at=square, most=9).images_at(bucket) for bucket in buckets} == {5}


@pytest.mark.parametrize(
    ("images", "most", "calls"),
    [
        (1, 4, [1]),
        (3, 4, [2, 1]),
        (4, 4, [4]),
        (7, 4, [4, 2, 1]),
        (7, 8, [4, 2, 1]),
        (6, 6, [4, 2]),
        (9, 3, [2, 2, 2, 2, 1]),
    ],
)
def test_a_batch_is_split_into_powers_of_two(images: int, most: int, calls: list[int]) -> None:
    """The largest first, none above the most, and nothing is padded."""
    assert split(images, most) == calls


@given(images=st.integers(0, 300), most=st.integers(1, 64))
def test_a_split_loses_nothing_and_needs_only_compiled_sizes(images: int, most: int) -> None:
    """Its calls add up, and each is of a size that a warm start compiles."""
    calls = split(images, most)
    assert sum(calls) == images
    assert set(calls) <= set(sizes(most))
    assert max(sizes(most)) <= most


@pytest.mark.parametrize(
    ("free", "bucket", "expected"),
    [
        (4608 * 4, SQUARE, 4),  # 64 x 64 + 512: no tokens of a picture that is edited
        (4608 * 4 - 1, SQUARE, 2),
        (4608 * 4, Bucket(512, 512), 8),  # 18432 / 1536 = 12
        (10**9, Bucket(512, 512), 8),  # 4 x 4608 / 1536 = 12
    ],
)
def test_pictures_from_nothing_take_less_memory(free: int, bucket: Bucket, expected: int) -> None:
    """A worker of text2image counts the tokens that its sequences have."""
    memory = Memory(free=free, per_token=1.0)
    assert Budget(images=4, at=SQUARE, most=16, memory=memory, task="text2image").images_at(bucket) == expected
