"""What producer and worker say to each other: the task's name, the queues' names, requests and outcomes."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from worker.contract.errors import ContractError, one_line
from worker.contract.fingerprint import digest
from worker.contract.lora import PlacedLoras
from worker.contract.parameters import (
    MOST_IMAGES,
    TASKS,
    Guidance,
    ImageFormat,
    LongInstruction,
    NumImages,
    Prompt,
    Quality,
    Seed,
    ShardFolders,
    Size,
    Steps,
    Task,
    TrueCfgScale,
)
from worker.contract.pictures_url import SCHEMES
from worker.contract.profiles import PROFILES, ProfileName
from worker.contract.row_warnings import RowWarning
from worker.contract.urls import REMOTE

#: Raised whenever a field changes its meaning. A worker refuses messages of any other version.
VERSION: Final = 8

#: Celery's name of the task that edits one row.
TASK_NAME: Final = "worker.edit"

#: A folder, absolute, or a URL at an object store.
_Place = Annotated[str, Field(pattern=rf"^(/|{'|'.join(f'{scheme}://' for scheme in SCHEMES)})")]
_Image = Annotated[str, Field(pattern=rf"^(/|data:|{'|'.join(REMOTE)})")]
_Instruction = Annotated[Prompt, Field(min_length=1)]


class Message(BaseModel):
    """A frozen record that crosses the network as JSON and nothing else."""

    # strict: "4" is no number; JSON arrays still become tuples (validation runs in JSON mode).
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: Version of the contract.
    v: Literal[8] = VERSION
    #: Id of the run, random, made with the run folder.
    run: str = Field(pattern=r"^[0-9a-f]{16}$")
    #: 0-based number of the row among the input's non-blank lines.
    row: int = Field(ge=0)
    #: Digest of everything that decides the row's pictures.
    fingerprint: str = Field(pattern=r"^[0-9a-f]{32}$")

    @property
    def name(self) -> str:
        """The row, for logs and task ids: "<run>.<row>"."""
        return f"{self.run}.{self.row}"

    def encode(self) -> str:
        """Return the message as JSON text."""
        return self.model_dump_json()

    @classmethod
    def decode(cls, text: object) -> Self:
        """Read a message.

        Raises:
            ContractError: it is no text, no JSON, or no message of this version.

        """
        if not isinstance(text, str | bytes):
            raise ContractError(f"{cls.__name__} does not decode: expected one text, found {type(text).__name__}.")
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ContractError(one_line(f"{cls.__name__} does not decode: {first_problem(error)}.")) from None


class Parameters(BaseModel):
    """What all rows of a run have in common, but for those that name parameters of their own."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: Whether its image is edited, or a picture is made from its instruction alone; also in the lane's name.
    task: Task
    #: What the picture should not become; heeded where there is true CFG.
    negative_prompt: Prompt | None
    true_cfg_scale: TrueCfgScale
    #: Rows to a subfolder of `output_dir`; None where all lie directly in it (`worker.contract.layout`).
    shard_folders: ShardFolders | None
    #: The LoRAs that are added to the model, as `name:weight`; none for the model as it is.
    lora: PlacedLoras
    #: Where the row's images go: the run folder, or a prefix at an object store.
    output_dir: _Place
    #: Identity of the model (`worker.contract.catalog.model_id`), which also names the lane.
    model: str
    steps: Steps
    guidance: Guidance
    num_images: NumImages
    #: An explicit one is a multiple of what the model takes.
    size: Size
    image_format: ImageFormat
    quality: Quality
    #: Whether the images say in their metadata how they were made; their fingerprint they always carry.
    metadata: bool
    #: What becomes of the row where its instruction is longer than the model reads.
    long_instruction: LongInstruction
    #: Whether several images are the one to edit, and references beside it; else they are put side by side.
    references: bool
    #: How the model must calculate; None where any way will do. Such rows have a lane of their own.
    profile: ProfileName | None


class EditRequest(Message, Parameters):
    """One row to edit. Paths are absolute: producer and worker share folders, not working directories.

    It crosses the network in two parts (`worker.contract.sharing`): what is the row's own, and what its run shares.
    """

    #: The image to edit; several are put side by side. Each is a path, a URL (`worker.contract.urls`), or the picture
    #: itself where it is small, as a `data:` URI of base64.
    #: None where the task is text2image.
    images: tuple[_Image, ...]
    #: The instruction; of a row of several turns, the last one's.
    prompt: _Instruction
    #: Those of the turns before it, in order: each edits what the one before it has made (`worker.contract.turns`).
    earlier_prompts: tuple[_Instruction, ...] = ()
    #: Seed of the row's first image; see `worker.contract.seeds` for the others.
    seed: Seed

    @property
    def prompts(self) -> tuple[str, ...]:
        """The instructions of all turns, in order."""
        return (*self.earlier_prompts, self.prompt)

    @model_validator(mode="after")
    def _images_as_its_task_has_them(self) -> Self:
        if (self.task == "imageedit") != bool(self.images):
            raise ValueError(f"images: {self.task} with {len(self.images)}")
        if self.earlier_prompts and (self.task != "imageedit" or len(self.prompts) * self.num_images > MOST_IMAGES):
            raise ValueError(f"earlier_prompts: {self.task} of {self.num_images} in {len(self.prompts)} turns")
        return self


class Outcome(Message):
    """What became of one row."""

    status: Literal["done", "failed"]
    #: Images, relative to the request's `output_dir`; none if failed.
    paths: tuple[str, ...] = ()
    #: Those of the turns before the last, turn by turn; none where a row has one turn.
    earlier_paths: tuple[str, ...] = ()
    #: What is wrong with the row, in one sentence; only if failed.
    error: str | None = None
    #: Width and height in pixels at which the model worked.
    bucket: tuple[int, int] | None = None
    #: The micro-batch in which the row rode; none if it never reached the model.
    batch_id: str | None = None
    #: Rows in that micro-batch, and rows that a full one would have held.
    batch_size: int | None = None
    batch_limit: int | None = None
    #: Seed of the first image.
    seed: Seed | None = None
    #: Denoising steps, and the strength of a negative prompt: above 1 each step is two passes of the model.
    steps: int | None = None
    true_cfg_scale: float | None = None
    #: Seconds by stage: decode, wait (for the batch), model, encode.
    seconds: dict[str, float] = Field(default_factory=dict)
    #: Of a row of several turns its share of the model's: those of each turn's micro-batch, by the rows in it.
    gpu_seconds: float | None = None
    #: Celery's name of the worker.
    worker: str
    #: How its model calculates, and which weights it has (`worker.models.weights.identity`).
    profile: str | None = None
    weights: str | None = None
    #: The LoRAs that it had, by name and weight, and of each what is in its file, as a short digest.
    lora: dict[str, str] = Field(default_factory=dict)
    #: SHA-256 of each source image's bytes as they were read.
    source_digests: tuple[str, ...] = ()
    #: Tokens of the instruction by the model's own tokenizer, and how many of them the model reads.
    tokens: int | None = None
    tokens_read: int | None = None
    #: What is to be said of the row beside its error; what the row itself gives cause to say is the producer's.
    warnings: tuple[RowWarning, ...] = ()

    @property
    def turns(self) -> int:
        """The row's turns: 1 where it failed, too."""
        return 1 + (len(self.earlier_paths) // len(self.paths) if self.paths else 0)

    @property
    def share(self) -> float:
        """Seconds of the model that are the row's own: 0 where it rode in no micro-batch."""
        if self.gpu_seconds is not None:
            return self.gpu_seconds
        return self.seconds.get("model", 0.0) / self.batch_size if self.batch_size else 0.0


def first_problem(error: ValidationError) -> str:
    """Put the first complaint of pydantic into words: field, what is wrong, what was found."""
    problem = error.errors(include_url=False, include_context=False)[0]
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return message
    field = ".".join(str(part) for part in problem["loc"])
    found = "" if problem["type"] == "missing" else f" (found {problem['input']!r:.80})"
    return f"{field}: {message[0].lower()}{message[1:]}{found}"


def queue_name(model: str, profile: str | None = None, *, task: Task = "imageedit") -> str:
    """Name the lane of a model and a task, so that a worker only ever receives rows for what it has loaded and proved.

    A lane is what the queues of its runs have in common: their names begin with it (`worker.contract.lanes`). The
    queue that is called as the lane itself holds nothing that a producer sends.

    Rows that demand a profile have a lane of their own: a worker that calculates otherwise never receives them, so
    that none has to be given back, and come again.

    The contract's version is in the name: workers of two versions may run side by side during an upgrade.

    Readable for people, and safe in Celery's comma-separated `-Q`: the digest tells models apart whose
    names read alike once cleaned.
    """
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", model).strip("-")[-60:]
    name = f"fleet.v{VERSION}.{readable}.{digest(model)[:8]}"
    # Edits are called as they were before there was another task.
    apart = (None if task == "imageedit" else task, profile)
    return ".".join([name, *filter(None, apart)])


def queue_names(model: str, task: Task = "imageedit") -> tuple[str, ...]:
    """Name all lanes of a model and a task: that of rows without a demand first."""
    return tuple(queue_name(model, profile, task=task) for profile in (None, *PROFILES))


def all_queue_names(model: str) -> tuple[str, ...]:
    """Name all lanes of a model, whatever the task: a run may have rows there that were sent with other options."""
    return tuple(name for task in TASKS for name in queue_names(model, task))
