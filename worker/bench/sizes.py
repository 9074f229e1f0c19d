"""The two sizes of the bench, of each family: what is built, and which calls of it are measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from worker.contract.buckets import Bucket
from worker.contract.catalog import MODELS
from worker.contract.model_spec import ModelSpec
from worker.contract.work import Network


class Shape(NamedTuple):
    """A size of a call; each is compiled for itself."""

    bucket: Bucket
    images: int

    def __str__(self) -> str:
        return f"{self.images} of {self.bucket}"


@dataclass(frozen=True, kw_only=True)
class Size:
    """A model, and what is measured of it where nobody says otherwise."""

    spec: ModelSpec
    #: The transformer of the family's real model; a tiny one has a width and blocks of its own.
    network: Network
    #: Images in a call at each resolution, the model's square one first.
    images: Mapping[Bucket, tuple[int, ...]]

    def shapes(self, buckets: Sequence[Bucket], images: Sequence[int]) -> tuple[Shape, ...]:
        """Return the calls to measure, at these resolutions, of so many images; where none are named, its own."""
        own = self.images
        return tuple(Shape(bucket, n) for bucket in buckets or own for n in images or own.get(bucket, (1,)))


SizeName = Literal["full", "tiny"]
SIZES: Final[tuple[SizeName, ...]] = ("full", "tiny")

#: A family's real model: the first of its entries, with the weights that its name alone means.
_REAL: Final = {spec.family: spec for spec in reversed(MODELS.values()) if spec.source == "hub"}
_TINY: Final = {spec.family: spec for spec in reversed(MODELS.values()) if spec.source == "random"}

FAMILIES: Final = tuple(dict.fromkeys(spec.family for spec in MODELS.values() if spec.family in _REAL))

#: As few as show what a batch gains at each resolution, since every one is compiled.
_IMAGES: Final[Mapping[str, Mapping[Bucket, tuple[int, ...]]]] = {
    "kontext": {Bucket(1024, 1024): (1, 4), Bucket(768, 768): (1, 4), Bucket(512, 512): (1, 8)},
}
_IMAGES_OF_OTHERS: Final = {Bucket(1024, 1024): (1, 4, 8), Bucket(512, 512): (1, 4, 8)}
_IMAGES_OF_TINY: Final = {Bucket(256, 256): (1, 4), Bucket(192, 320): (1,)}


def real_of(family: str) -> ModelSpec:
    """Return the model that a family's name alone means."""
    return _REAL[family]


def size_of(family: str, name: SizeName) -> Size:
    """Return a family at its real size, or as small as it comes."""
    network = _REAL[family].checkpoints[0].network
    if name == "tiny":
        return Size(spec=_TINY[family], network=network, images=_IMAGES_OF_TINY)
    return Size(spec=_REAL[family], network=network, images=_IMAGES.get(family, _IMAGES_OF_OTHERS))
