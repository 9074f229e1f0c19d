"""The settings of a worker and of what it shares with producers: one field each, read from `FLEET_*` variables."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from worker.contract.parameters import MAX_PIXELS, Task
from worker.contract.profiles import ProfileName
from worker.settings.places import Hosts, Place

DEFAULT_BROKER: Final = "redis://localhost:6379/0"


class WorkerSettings(BaseSettings):
    """Settings of a worker. A field `x` is read from the variable `FLEET_X`."""

    model_config = SettingsConfigDict(env_prefix="FLEET_", frozen=True, env_ignore_empty=True)

    # repr=False: the URL may hold a password.
    broker_url: str | None = Field(
        None,
        repr=False,
        description=f"Redis that carries the rows (unset: {DEFAULT_BROKER}; `producer run` starts its own).",
    )
    broker_patience: float | None = Field(
        None,
        ge=0,
        description="Seconds that commands and workers wait for a Redis that is away or refuses (unset: any time).",
    )
    diffuser_model_name: str = Field("FLUX-Kontext", description="The model, by a name that `producer models` lists.")
    hf_model_name_or_path: str | None = Field(
        None, description="Weights: a hub id or a local folder (unset: the model's own)."
    )
    hf_revision: str | None = Field(None, description="Branch, tag or commit of the hub id (unset: main).")
    hf_cache_dir: Path | None = Field(None, description="Hub cache for downloads (unset: Hugging Face's own).")
    hf_local_dir: Path | None = Field(
        None,
        description="Folder to download into instead, one subfolder per model, or where DataFlow put weights.",
    )
    image_gen_task: Task = Field(
        "imageedit",
        description="What is made of a row: imageedit edits its image, text2image needs none and makes one.",
    )

    profile: ProfileName | None = Field(
        None,
        description=(
            "How the model calculates: reference, exact or fast (unset: exact on a GPU, reference for demo, or a CPU)."
        ),
    )
    compile: bool | None = Field(None, description="Whether the transformer is compiled (unset: the profile's).")
    attention: str | None = Field(
        None, pattern="^[a-z0-9_]+$", description="Attention backend, by diffusers' name (unset: the profile's)."
    )
    fuse_qkv: bool | None = Field(
        None, description="Whether query, key and value are one matrix product (unset: the profile's)."
    )
    fp8: bool | None = Field(None, description="Whether linear layers multiply in fp8 (unset: the profile's).")
    step_interval: int | None = Field(
        None,
        ge=1,
        le=100,
        description="Of so many denoising steps one is computed, the rest extrapolated (unset: the profile's; 1: all).",
    )
    compile_cache: Path = Field(
        Path("~/.cache/bulk-image-editor/compiled"),
        description="Folder of compiled kernels, kept for the next start; yours alone.",
    )
    warm_up: str | None = Field(
        None,
        description=(
            "Resolutions compiled before the first row: 1024x1024,832x1248 or all (unset: the model's square one)."
        ),
    )
    prompt_cache: int = Field(
        512, ge=0, description="MiB of the GPU's memory for the embeddings of instructions that come again."
    )

    lora_cache: int = Field(
        1024, ge=0, description="MiB of the GPU's memory for LoRAs of rows, the last used ones kept (0: none is taken)."
    )
    lora_root: Path | None = Field(
        None,
        description=(
            "Folder that workers read LoRAs from, and from nowhere else (unset: FLEET_INPUT_ROOT's, and the hub)."
        ),
    )

    batch_size: int = Field(
        4,
        ge=1,
        le=256,
        description="Most images in one call of the model at its square resolution; smaller ones take more.",
    )
    batch_wait: float = Field(
        0.2,
        ge=0,
        le=60,
        allow_inf_nan=False,
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
        1800,
        gt=0,
        allow_inf_nan=False,
        description="Seconds after which a batch counts as hanging, and its worker ends.",
    )
    attempts: int = Field(
        6, ge=1, description="Times that a worker tries to read or write a file whose storage fails for the moment."
    )
    input_root: Place | None = Field(
        None,
        description=(
            "Folder, or URL such as s3://bucket/images, that workers read images from, and from nowhere else"
            " (unset: anywhere)."
        ),
    )
    output_root: Place | None = Field(
        None,
        description=(
            "Folder, or URL such as s3://bucket/runs, that runs' pictures must lie in for a worker to write there"
            " (unset: anywhere)."
        ),
    )
    allow_urls: Annotated[Hosts | None, NoDecode] = Field(
        None, description="Hosts, by commas, whose images are fetched at https:// (unset: none are)."
    )
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port of Prometheus' endpoint, of a worker or of `producer exporter` (unset: a worker has none).",
    )
    metrics_address: str = Field(
        "127.0.0.1", min_length=1, description="Address of that endpoint: this machine alone, unless another is set."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="Lines of a worker's log, and of what commands say: text or json."
    )
    log_rows: bool = Field(
        default=False,
        description="Whether a worker's log follows every row, not only micro-batches and rows that fail.",
    )
    worker_python: Path | None = Field(
        None,
        description=(
            "`bin/python` of the environment with the worker extra, for workers that `producer run` or Python starts"
            " (unset: their own)."
        ),
    )
