"""What producer and worker say to each other: the task's name, a model's queue, requests and outcomes."""

import hashlib
import json
import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from worker.errors import ContractError

#: Raised whenever a field changes its meaning. A worker refuses messages of any other version.
VERSION: Final = 1

#: Celery's name of the task that edits one row.
TASK_NAME: Final = "worker.edit"

#: How the output's size follows from the input's: see `worker.buckets.plan_fit`.
Size = Literal["auto", "input", "bucket"]

Seed = Annotated[int, Field(ge=0, lt=2**53)]


class _Message(BaseModel):
    """A frozen record that crosses the network as JSON and nothing else."""

    # strict: "4" is no number; JSON arrays still become tuples (validation runs in JSON mode).
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: Version of the contract.
    v: Literal[1] = VERSION
    #: Id of the run, random, made with the run folder.
    run: str = Field(pattern=r"^[0-9a-f]{16}$")
    #: 0-based number of the row among the input's non-blank lines.
    row: int = Field(ge=0)
    #: Digest of everything that decides the row's pictures.
    fingerprint: str = Field(pattern=r"^[0-9a-f]{32}$")

    def encode(self) -> str:
        """Return the message as JSON text."""
        return self.model_dump_json()

    @classmethod
    def decode(cls, text: str | bytes) -> Self:
        """Read a message.

        Raises:
            ContractError: the text is no JSON, or no message of this version.

        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ContractError(f"{cls.__name__} does not decode: {first_problem(error)}.") from None


class EditRequest(_Message):
    """One row to edit. Paths are absolute: producer and worker share folders, not working directories."""

    #: Path of the image to edit.
    image: str = Field(pattern=r"^/")
    #: The instruction.
    prompt: str = Field(min_length=1)
    #: The run folder, where the row's images go.
    output_dir: str = Field(pattern=r"^/")
    #: Identity of the model (`worker.catalog.model_id`), which also names the queue.
    model: str
    #: Denoising steps.
    steps: int = Field(ge=1, le=1000)
    #: Strength of the distilled guidance.
    guidance: float = Field(ge=0, le=100)
    #: Images to make for this row.
    num_images: int = Field(ge=1, le=64)
    #: Seed of the row's first image; see `image_seed` for the others.
    seed: Seed
    size: Size


class Outcome(_Message):
    """What became of one row."""

    status: Literal["done", "failed"]
    #: Images, relative to the run folder; none if failed.
    paths: tuple[str, ...] = ()
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
    #: Seconds by stage: decode, wait (for the batch), model, encode.
    seconds: dict[str, float] = Field(default_factory=dict)
    #: Celery's name of the worker.
    worker: str
    #: SHA-256 of the source image's bytes as they were read.
    source_digest: str | None = None


def first_problem(error: ValidationError) -> str:
    """Put the first complaint of pydantic into words: field, what is wrong, what was found."""
    problem = error.errors(include_url=False, include_context=False)[0]
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return message
    field = ".".join(str(part) for part in problem["loc"])
    found = "" if problem["type"] == "missing" else f" (found {problem['input']!r:.80})"
    return f"{field}: {message[0].lower()}{message[1:]}{found}"


def queue_name(model: str) -> str:
    """Name the queue of a model, so that a worker only ever receives rows for the model it has loaded.

    The contract's version is in the name: workers of two versions may run side by side during an upgrade.

    Readable for people, and safe in Celery's comma-separated `-Q`: the digest tells models apart whose
    names read alike once cleaned.
    """
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", model).strip("-")[-60:]
    return f"fleet.v{VERSION}.{readable}.{_digest(model)[:8]}"


def fingerprint(**decisive: Any) -> str:
    """Digest what decides a row's pictures: 32 hex digits, the same in every process and version of Python."""
    # JSON: key order must not matter, nor a separator inside a value, nor what this Python holds to be printable.
    return _digest(json.dumps(decisive, sort_keys=True))[:32]


def row_seed(run_seed: int, row: int) -> int:
    """Derive a row's seed from the run's seed and the row's number.

    The first 53 bits of SHA-256 of the text "<run seed>:<row>": any JSON reader holds 53 bits exactly.
    """
    return int(_digest(f"{run_seed}:{row}"), 16) >> (256 - 53)


def image_seed(seed: int, index: int) -> int:
    """Return the seed of a row's image number `index` (0-based): the row's own for the first."""
    return seed if index == 0 else row_seed(seed, index)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
