"""Every setting of the fleet: one frozen class, read from `FLEET_*` variables, validated once."""

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker.broker_url import redis_url
from worker.catalog import MODELS, ModelSpec, model_id
from worker.contract import first_problem
from worker.errors import SettingsError
from worker.parameters import (
    MAX_PIXELS,
    Guidance,
    ImageFormat,
    MultiImage,
    NumImages,
    Quality,
    Seed,
    Size,
    Steps,
    rounded_size,
)

_DEFAULT_BROKER = "redis://localhost:6379/0"


class Settings(BaseSettings):
    """Settings of producer and worker. A field `x` is read from the variable `FLEET_X`."""

    model_config = SettingsConfigDict(env_prefix="FLEET_", frozen=True, env_ignore_empty=True)

    # repr=False: the URL may hold a password.
    broker_url: str | None = Field(
        None,
        repr=False,
        description=f"Redis that carries the rows (unset: {_DEFAULT_BROKER}; `producer run` starts its own).",
    )
    diffuser_model_name: str = Field("FLUX-Kontext", description="Model family: FLUX-Kontext or demo.")
    hf_model_name_or_path: str = Field(
        "black-forest-labs/FLUX.1-Kontext-dev", description="Weights: a hub id or a local folder."
    )
    hf_revision: str | None = Field(None, description="Branch, tag or commit of the hub id (unset: main).")
    hf_cache_dir: Path | None = Field(None, description="Hub cache for downloads (unset: Hugging Face's own).")
    hf_local_dir: Path | None = Field(None, description="Download into this folder instead, one subfolder per model.")
    demo_cache_dir: Path = Field(
        Path("~/.cache/bulk-image-editor"), description="Where the demo model's tiny weights are kept."
    )
    image_gen_task: Literal["imageedit"] = Field("imageedit", description="The only task there is: imageedit.")

    batch_size: int = Field(4, ge=1, le=256, description="Most images in one call of the model.")
    batch_wait: float = Field(
        0.2,
        ge=0,
        le=60,
        description="Seconds that a row waits for others of its shape while the GPU is free.",
    )
    rows_in_flight: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="Rows that a worker holds at a time (unset: follows from the batch size).",
    )
    max_pixels: int = Field(
        MAX_PIXELS, ge=1, description="Most pixels of an input image, checked before it is decoded."
    )
    # 45: renewed four times, and looked for every 5 s, a dead worker's rows are with others 34 to 50 s after its end.
    visibility_timeout: int = Field(
        45,
        ge=4,
        description="Seconds after which a dead worker's rows are given to others; live workers keep theirs.",
    )

    max_crashes: int = Field(
        3, ge=1, description="Crashes of a worker by one row, while it worked alone, that make it that row's error."
    )
    max_failures: int = Field(
        3, ge=1, description="Rows that fail in the model, one after the other, after which a worker gives up and ends."
    )
    batch_timeout: float = Field(
        1800, gt=0, description="Seconds after which a batch counts as hanging, and its worker ends."
    )
    attempts: int = Field(
        6, ge=1, description="Times that a worker tries to read or write a file whose storage fails for the moment."
    )
    input_root: Path | None = Field(
        None, description="Folder that workers read images from, and from nowhere else (unset: anywhere)."
    )
    output_root: Path | None = Field(
        None, description="Folder that run folders must lie in for a worker to write there (unset: anywhere)."
    )

    run_dir: Path | None = Field(None, description="Run folder (unset: ./cache_local/image_edit_local/<input's stem>).")
    output: Path | None = Field(None, description="Output jsonl (unset: output.jsonl in the run folder).")
    input_image_key: str = Field("images", min_length=1, description="Column with the image's path.")
    input_conversation_key: str = Field(
        "conversations", min_length=1, description="Column with the conversation that holds the instruction."
    )
    input_edit_key: str = Field("edit", min_length=1, description="Column with an object of a row's own parameters.")
    output_image_key: str = Field("output_image", min_length=1, description="Column for the edited images' paths.")
    output_error_key: str = Field("error", min_length=1, description="Column for what is wrong with a row.")
    diffuser_num_inference_steps: Steps | None = Field(
        None, description="Denoising steps (unset: the model's own; FLUX-Kontext 28, demo 8)."
    )
    diffuser_guidance_scale: Guidance | None = Field(None, description="Guidance (unset: the model's own; both 3.5).")
    seed: Seed = Field(0, description="The run's seed, from which every row's own is derived.")
    num_images: NumImages = Field(1, description="Images to make per row.")
    size: Size = Field(
        "auto",
        description=(
            "Output size: auto (input's shape, model's area), input (its exact size), bucket (model's own) or 1280x720."
        ),
    )
    multi_image: MultiImage = Field(
        "first", description="Of several images in a row: first edits the first, stitch all, side by side."
    )
    image_format: ImageFormat = Field("png", description="Format of the edited images: png, webp or jpg.")
    quality: Quality = Field(95, description="Quality of webp and jpg, 1 to 100.")
    metadata: bool = Field(
        default=True, description="Whether images carry their instruction, seed, steps, guidance and model."
    )
    save_interval: int = Field(
        10,
        ge=1,
        description="Outcomes after which the collector commits; a second after the first it does anyway.",
    )
    max_queued: int = Field(50_000, ge=1, description="Most unanswered rows of a run in Redis at a time.")

    @field_validator("diffuser_model_name")
    @classmethod
    def _known_model(cls, name: str) -> str:
        if name not in MODELS:
            raise ValueError(f"unknown model; there are {' and '.join(MODELS)}")
        return name

    @field_validator("broker_url")
    @classmethod
    def _redis_only(cls, url: str | None) -> str | None:
        return None if url is None else redis_url(url)

    @model_validator(mode="after")
    def _distinct_columns(self) -> Self:
        names = ("input_image_key", "input_conversation_key", "input_edit_key", "output_image_key", "output_error_key")
        for one, other in combinations(names, 2):
            if getattr(self, one) == getattr(self, other):
                both = f"FLEET_{one.upper()} and FLEET_{other.upper()}"
                raise ValueError(f"{both} must differ, found {getattr(self, one)} twice")
        if "raw" in {self.output_image_key, self.output_error_key}:
            raise ValueError(
                "FLEET_OUTPUT_IMAGE_KEY and FLEET_OUTPUT_ERROR_KEY must not be raw, a column of the output"
            )
        return self

    @property
    def broker(self) -> str:
        """URL of the Redis to use where none was named: the one on this machine."""
        return self.broker_url or _DEFAULT_BROKER

    @property
    def spec(self) -> ModelSpec:
        """The model family's own defaults."""
        return MODELS[self.diffuser_model_name]

    @property
    def model(self) -> str:
        """Identity of the exact weights; names the queue."""
        return model_id(self.diffuser_model_name, self.hf_model_name_or_path, self.hf_revision)

    @property
    def steps(self) -> int:
        """Denoising steps: the user's, or else the model's own."""
        return self.diffuser_num_inference_steps or self.spec.steps

    @property
    def guidance(self) -> float:
        """Guidance: the user's, or else the model's own."""
        return self.spec.guidance if self.diffuser_guidance_scale is None else self.diffuser_guidance_scale

    @property
    def model_size(self) -> str:
        """The output's size; an explicit one as the model takes it."""
        return rounded_size(self.size, self.spec.multiple)

    @property
    def in_flight(self) -> int:
        """Rows that a worker holds at a time: as many as keep full batches ready, and no more.

        With K shapes and batches of B, K·(B-1)+1 waiting rows always hold a full batch; one batch is on
        the GPU, and one is being decoded or encoded. K = 6: the shapes of an ordinary photo collection.
        """
        return self.rows_in_flight or _SHAPES * (self.batch_size - 1) + 1 + 2 * self.batch_size


_SHAPES = 6


def load_settings(remembered: Mapping[str, Any] | None = None, /, **given: Any) -> Settings:
    """Read the settings from the environment; `given` values (of a command line) win, None means not given.

    `remembered` values win over the environment as they are: there, None is a value, too.

    Raises:
        SettingsError: a value is wrong; the sentence names the variable.

    """
    try:
        return Settings(**{**(remembered or {}), **{name: value for name, value in given.items() if value is not None}})
    except ValidationError as error:
        raise SettingsError(_in_words(error)) from None


def _in_words(error: ValidationError) -> str:
    field = str((error.errors()[0]["loc"] or ("",))[0])
    if field == "broker_url":
        return f"FLEET_BROKER_URL {error.errors()[0]['msg'].removeprefix('Value error, ')}."
    problem = first_problem(error)
    return f"FLEET_{field.upper()}: {problem.partition(': ')[2]}." if field else f"{problem}."
