"""The two sizes of the bench: what is built, and which calls of it are measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from worker.contract.buckets import Bucket
from worker.contract.catalog import MODELS
from worker.contract.model_spec import ModelSpec
from worker.models.kontext.architecture import FULL, TINY, Architecture


class Shape(NamedTuple):
    """A size of a call; each is compiled for itself."""

    bucket: Bucket
    images: int

    def __str__(self) -> str:
        return f"{self.images} of {self.bucket}"


@dataclass(frozen=True, kw_only=True)
class Size:
    """A model, and what is measured of it where nobody says otherwise."""

    architecture: Architecture
    #: Its steps and its guidance.
    spec: ModelSpec
    #: Images in a call at each resolution, the model's square one first.
    images: Mapping[Bucket, tuple[int, ...]]

    def shapes(self, buckets: Sequence[Bucket], images: Sequence[int]) -> tuple[Shape, ...]:
        """Return the calls to measure, at these resolutions, of so many images; where none are named, its own."""
        own = self.images
        return tuple(Shape(bucket, n) for bucket in buckets or own for n in images or own.get(bucket, (1,)))


#: As few as show what a batch gains at each resolution, since every one is compiled.
SIZES: Final = {
    "full": Size(
        architecture=FULL,
        spec=MODELS["FLUX-Kontext"],
        images={Bucket(1024, 1024): (1, 4), Bucket(768, 768): (1, 4), Bucket(512, 512): (1, 8)},
    ),
    "tiny": Size(
        architecture=TINY,
        spec=MODELS["demo"],
        images={Bucket(256, 256): (1, 4), Bucket(192, 320): (1,)},
    ),
}

#: Images in a call of DataFlow, by its default.
DATAFLOW_BATCH: Final = 4
