"""What a producer and a worker know of a model before it is loaded; no torch."""

from dataclasses import dataclass
from typing import Literal

from worker.contract.buckets import Bucket, nearest
from worker.contract.parameters import Task
from worker.contract.profiles import PROFILES, ProfileName
from worker.contract.work import Network


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Weights that the hub has of a model."""

    hub_id: str
    licence: str
    #: Of the weights in bf16, text encoders and all.
    gigabytes: float
    #: What the transformer calculates for a picture of 1024 × 1024 from one such reference (from none, where the model
    #: edits nothing), in the model's own steps.
    #: By arithmetic: a product of matrices is two operations for each pair of numbers.
    pflop: float
    #: The transformer, from which its work at other sizes follows.
    network: Network
    #: GiB of a GPU's memory, and seconds for such a picture alone, in the model's own profile; None: nobody measured.
    gpu_gib: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A model's own defaults and limits."""

    #: The name in `FLEET_DIFFUSER_MODEL_NAME` and `--model`.
    name: str
    #: The folder in `worker/models` that calculates.
    family: str
    #: diffusers' name of the pipeline, as a checkpoint's model_index.json has it.
    pipeline: str
    #: Where weights come from: the hub or a local folder, this package, or a generator of random numbers.
    source: Literal["hub", "package", "random"]
    #: Those that are known, the first of them loaded where none is named; a folder may hold others.
    checkpoints: tuple[Checkpoint, ...]
    #: Resolutions that the model works at.
    buckets: tuple[Bucket, ...]
    #: What each side of an explicit size must be a multiple of, in pixels.
    multiple: int
    #: Denoising steps where the user names none.
    steps: int
    #: Guidance where the user names none.
    guidance: float
    #: What guidance is: a number that the transformer reads, a second pass of each step, or nothing.
    guided: Literal["embedded", "true CFG", "none"]
    #: What it does: edits pictures, makes some from an instruction alone, or both.
    tasks: tuple[Task, ...] = ("imageedit",)
    #: Pictures of a row that the model takes, the one that is edited among them; where it takes 1, several can be
    #: stitched. 0 where it edits none.
    references: int
    #: Whether it needs the picture that it edits in the shape of the one that it makes.
    same_shape: bool = False
    #: Tokens that it reads of an instruction, and the folder, among its weights', of the tokenizer that counts them.
    tokens: int
    tokenizer: str
    #: What the tokenizer is given: the instruction, in the place of {}.
    template: str = "{}"
    #: Whether it is refused on a machine without CUDA (12 billion parameters are no job for a CPU).
    needs_cuda: bool
    #: The profile that it runs in on a GPU where the user names none, and those that the tests have run it in.
    profile: ProfileName
    profiles: tuple[ProfileName, ...] = tuple(PROFILES)
    #: Whether diffusers can make one product of its projections of query, key and value; else a profile does without.
    fuses: bool = True
    #: Whether its checkpoints are distilled, where that stands in their model_index.json.
    distilled: bool | None = None
    #: Whether it is for tests alone, and not listed.
    hidden: bool = False

    @property
    def square(self) -> Bucket:
        """The resolution at which batch sizes are meant and at which the model proves that it works."""
        return nearest(1, 1, self.buckets)

    def passes(self, guidance: float, true_cfg_scale: float) -> int:
        """Return how often the transformer runs in each step: twice where there is true CFG."""
        strength = max(true_cfg_scale, guidance if self.guided == "true CFG" else 1.0)
        return 2 if self.guided != "none" and strength > 1 else 1

    @property
    def weights(self) -> str:
        """The hub id that is loaded where none is named; the model's own name where its weights come with it."""
        return self.checkpoints[0].hub_id if self.checkpoints else self.name
