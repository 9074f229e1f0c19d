"""How many images share one call of the model, pure: a budget of tokens, bounded by memory."""

from dataclasses import dataclass

from worker.contract.buckets import Bucket
from worker.contract.parameters import Task


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """What was measured of a device's memory. In bytes."""

    #: Left for a call, once the weights are in place.
    free: int
    #: What a call took, at its peak, for each token of its sequences.
    per_token: float

    def images(self, tokens: int) -> int:
        """Return how many images of so many tokens fit into one call; 0 where it is too little for one."""
        return int(self.free / (self.per_token * tokens))


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What one call of the model may hold.

    At one megapixel one image already fills a GPU, and more gain little; at a quarter of that four take little longer
    than one. So what is bounded is the tokens of a call.
    """

    #: Most images in a call at the resolution `at`.
    images: int
    at: Bucket
    #: Most images in a call at any resolution.
    most: int
    #: None: nobody has measured it.
    memory: Memory | None = None
    #: What the worker does: it says how long an image's sequence is.
    task: Task = "imageedit"

    def images_at(self, bucket: Bucket) -> int:
        """Return the most images in a call at this resolution, at least 1.

        Other than about `at` it is a power of two: what is compiled for a few sizes is then not split.
        """
        most, tokens, usual = self.images, bucket.tokens_for(self.task), self.at.tokens_for(self.task)
        if abs(tokens - usual) > _ABOUT * usual:
            most = _power_of_two(min(self.most, self.images * usual // tokens))
        if self.memory is not None and (fitting := self.memory.images(tokens)) < most:
            most = _power_of_two(fitting)
        return max(1, most)


#: Of their tokens that a model's own resolutions may differ in, and still take the same number of images.
_ABOUT = 0.1


def split(images: int, most: int) -> list[int]:
    """Split images into calls of 1, 2, 4, ... of them, the largest first and none above `most`.

    The sizes that anything is compiled for: a rest is never padded, since a padded place costs as much as an image.
    """
    sizes = []
    while images:
        sizes.append(_power_of_two(min(images, most)))
        images -= sizes[-1]
    return sizes


def sizes(most: int) -> list[int]:
    """Return every size of a call that `split` makes of up to `most` images."""
    return [1 << exponent for exponent in range(most.bit_length())]


def _power_of_two(most: int) -> int:
    """Return the largest power of two that is not above `most`; 0 where that is below 1."""
    return 1 << (most.bit_length() - 1) if most > 0 else 0
