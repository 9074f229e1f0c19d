"""What the model gets for one row, and what makes rows fit into one call."""

from pathlib import Path
from typing import NamedTuple, Self

from PIL import Image

from worker.contract.buckets import Bucket
from worker.contract.parameters import Task


class Adapter(NamedTuple):
    """A LoRA that was found, and how much of it is added."""

    #: As a row names it.
    name: str
    path: Path
    #: Of what is in the file; another one is another LoRA, whatever its name.
    digest: str
    weight: float


class Shape(NamedTuple):
    """What the length of an image's sequence follows from, but for the task."""

    bucket: Bucket
    given: Bucket | None = None
    references: tuple[Bucket, ...] = ()


class BatchKey(NamedTuple):
    """Everything that the pipeline can hold only once per call; only rows with equal keys share one."""

    bucket: Bucket
    steps: int
    guidance: float
    #: 1 where there is no negative prompt; the pipeline has one for every row of a call, or for none.
    true_cfg_scale: float
    #: Images per row. Part of the key so that a batch of rows is also a whole number of images.
    num_images: int
    #: Resolutions of the references that each row has beside the picture that is edited.
    references: tuple[Bucket, ...] = ()
    #: LoRAs that the model has meanwhile.
    adapters: tuple[Adapter, ...] = ()
    #: Part of the key since the sequence of a picture that is made from nothing is half as long.
    task: Task = "imageedit"
    #: Resolution of the picture that is edited, where that is not the bucket.
    given: Bucket | None = None

    @property
    def shape(self) -> Shape:
        """Of the pictures of a row, those that are made and those that it is made from."""
        return Shape(self.bucket, self.given, self.references)

    @property
    def tokens(self) -> int:
        """Length of the sequence that the transformer attends over for one image of this key."""
        edited = 0 if self.given is None else self.given.patches - self.bucket.patches
        return self.bucket.tokens_for(self.task) + edited + sum(one.patches for one in self.references)

    @property
    def strength(self) -> float:
        """Strength of true CFG for a model whose guidance that is: what a row names for it goes first."""
        return self.true_cfg_scale if self.true_cfg_scale > 1 else self.guidance


class Ticket(NamedTuple):
    """One delivery of a row to a worker."""

    run: str
    row: int
    #: Celery's id of the message, another one each time that the row is sent.
    task: str
    #: kombu's tag of the message, the same whenever it is delivered again.
    tag: str

    def __str__(self) -> str:
        return f"{self.run}.{self.row}"


class EditJob(NamedTuple):
    """What the model gets for one row."""

    #: Which row it is, in which delivery of it.
    ticket: Ticket
    #: RGB, already at the size that the key has; None where a picture is made from the instruction alone.
    image: Image.Image | None
    #: The instruction.
    prompt: str
    #: None where the row names none.
    negative_prompt: str | None
    #: One seed per image to make.
    seeds: tuple[int, ...]
    #: RGB, at the sizes that the key has.
    references: tuple[Image.Image, ...] = ()
    #: Which of its row's turns it is, from 1.
    turn: int = 1
    #: What the images after the first are made from, where each has a picture of its own: all but the first turn's.
    others: tuple[Image.Image, ...] = ()

    def each(self) -> list[tuple[Self, int]]:
        """Return for each image to make what it is made from, and its seed."""
        if not self.others:
            return [(self, seed) for seed in self.seeds]
        pictures = (self.image, *self.others)
        return [(self._replace(image=one, others=()), seed) for one, seed in zip(pictures, self.seeds, strict=True)]

    def __str__(self) -> str:
        return str(self.ticket)

    @property
    def pictures(self) -> tuple[Image.Image, ...]:
        """All that the model sees, the one that is edited first."""
        return self.references if self.image is None else (self.image, *self.references)
