"""Before the first row a model is compiled for what was asked for, proves that it works, and is measured."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import pytest
from PIL import Image

from worker.batching.budget import Budget, Memory
from worker.batching.jobs import BatchKey, EditJob
from worker.contract.buckets import Bucket
from worker.contract.catalog import MODELS
from worker.contract.errors import ModelError, OutOfMemory
from worker.models.protocol import EditModel
from worker.models.warmup import WarmedUp, warm_up

DEMO = MODELS["demo"]
WIDE, SQUARE = Bucket(304, 208), DEMO.square


@dataclass
class Model(EditModel):
    """A model whose memory holds so many tokens at a time, and that takes a note of its calls."""

    tokens: int = 10**9
    is_compiled: bool = True
    steps_to_compile: int = 1
    error: Exception | None = None
    calls: list[tuple[Bucket, int, int]] = field(default_factory=list)
    tasks: set[str] = field(default_factory=set)

    def edit(self, key: BatchKey, jobs: Sequence[EditJob], most: int) -> list[list[Image.Image]]:
        """Hand the pictures back, once there is room for them."""
        self.calls.append((key.bucket, len(jobs), key.steps))
        self.tasks.add(key.task)
        if self.error is not None:
            raise self.error
        if most * key.tokens > self.tokens:
            raise OutOfMemory(key.bucket, most, " (0.1 of 24.0 GiB are free)")
        return [[job.image or Image.linear_gradient("L").convert("RGB").resize(key.bucket)] for job in jobs]

    def memory(self) -> Memory | None:
        """Say what a GPU would."""
        return Memory(free=self.tokens, per_token=1.0)


def warm(model: Model, *buckets: Bucket, images: int = 4) -> WarmedUp:
    """Warm a model up."""
    budget = Budget(images=images, at=SQUARE, most=8)
    return warm_up(model, DEMO, buckets=buckets, budget=budget, watched=lambda _: nullcontext())


def test_each_resolution_is_compiled_for_each_size_of_a_call() -> None:
    """One step of 1, 2 and 4 built-in pictures at each resolution that was asked for, then the proof."""
    model = Model()
    warm(model, SQUARE, WIDE)
    assert model.calls == [
        *((SQUARE, images, 1) for images in (1, 2, 4)),
        *((WIDE, images, 1) for images in (1, 2, 4)),
        (SQUARE, 1, 2),
    ]


def test_pictures_from_nothing_are_warmed_up_as_they_are_made() -> None:
    """Every call is of the worker's own task, whose sequences are shorter, and its memory counted so."""
    model = Model(tokens=3 * SQUARE.tokens_for("text2image"))
    budget = Budget(images=4, at=SQUARE, most=8, task="text2image")
    warmed_up = warm_up(model, MODELS["tiny-kontext"], buckets=[SQUARE], budget=budget, watched=lambda _: nullcontext())
    assert model.tasks == {"text2image"}
    assert warmed_up.budget.images_at(SQUARE) == 2


def test_a_model_is_compiled_by_as_many_steps_as_it_takes() -> None:
    """Where later steps have a graph of their own, the calls have two steps."""
    model = Model(steps_to_compile=2)
    warm(model, WIDE, images=1)
    assert model.calls == [(WIDE, 1, 2), (SQUARE, 1, 2)]


def test_what_is_not_compiled_only_proves_that_it_works() -> None:
    """Without a compiler there is nothing to prepare for a resolution."""
    model = Model(is_compiled=False)
    warm(model, SQUARE, WIDE)
    assert model.calls == [(SQUARE, 1, 2)]


def test_sizes_that_do_not_fit_are_not_compiled() -> None:
    """The first call shows what a larger one would need: with room for three only two are compiled, and then made."""
    model = Model(tokens=3 * SQUARE.tokens)
    warmed_up = warm(model, SQUARE)
    assert model.calls == [(SQUARE, 1, 1), (SQUARE, 2, 1), (SQUARE, 1, 2)]
    assert warmed_up.budget.images_at(SQUARE) == 2


def test_a_size_that_ran_out_of_memory_is_not_tried_again() -> None:
    """Where the first call shows less than a larger one needs, what was seen not to fit is remembered."""
    model = Model(tokens=3 * SQUARE.tokens)
    model.memory = lambda: None  # type: ignore[method-assign]
    assert warm(model, SQUARE).fitting == {SQUARE: 2}
    assert model.calls == [*((SQUARE, images, 1) for images in (1, 2, 4)), (SQUARE, 1, 2)]


@pytest.mark.parametrize("is_compiled", [True, False])
def test_no_room_for_one_image_ends_the_start(*, is_compiled: bool) -> None:
    """One sentence, with the numbers."""
    with pytest.raises(
        ModelError, match=r"^The model has no room to work: .* \(0\.1 of 24\.0 GiB are free\); use a larger"
    ):
        warm(Model(tokens=SQUARE.tokens - 1, is_compiled=is_compiled), SQUARE)


def test_a_compiler_that_fails_is_told_from_a_broken_model() -> None:
    """The sentence names the resolution, the first line of what the compiler says, and what needs none."""
    model = Model(error=RuntimeError("g++ says no.\nFour hundred lines follow."))
    with pytest.raises(
        ModelError,
        match=r"^The model cannot be compiled and run at 256x256 \(RuntimeError: g\+\+ says no\); .*COMPILE=false\.$",
    ):
        warm(model, SQUARE)
