"""The settings of a run: its folder, the columns of its jsonl, and the parameters of its edits."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field
from pydantic_settings import BaseSettings, NoDecode

from worker.contract.lora import Loras
from worker.contract.parameters import (
    DEFAULT_PRIORITY,
    Guidance,
    ImageFormat,
    LongInstruction,
    MultiImage,
    NumImages,
    OutputImages,
    OutputPaths,
    Priority,
    Quality,
    Seed,
    ShardFolders,
    Size,
    Steps,
    Turns,
)
from worker.contract.profiles import ProfileName
from worker.settings.presets import PresetName

#: Where a row has its own parameters, unless a setting says otherwise, or another column has this name.
DEFAULT_EDIT_KEY: Final = "edit"


class RunSettings(BaseSettings):
    """Settings of a run."""

    run_dir: Path | None = Field(
        None,
        description="Run folder (unset: ./cache_local/image_edit_local/<input's stem>, or text2image_local).",
    )
    shard_folders: ShardFolders | None = Field(
        None,
        description="Most rows to a subfolder of the run folder, up to 10000 (unset: all lie directly in it).",
    )
    pictures: str | None = Field(
        None,
        description="Where the images go, as s3://BUCKET/PREFIX (unset: into the run folder, which keeps all else).",
    )
    output: Path | None = Field(
        None,
        description=(
            "Output: a jsonl, or by its name a JSON array (.json) or parquet (.parquet) (unset: output.jsonl in the run"
            " folder)."
        ),
    )
    output_images: OutputImages = Field(
        "paths",
        description="What a parquet output holds of the edited images: their paths, or the images themselves (bytes).",
    )
    output_paths: OutputPaths = Field(
        "as-given",
        description=(
            "How output rows name images: as-given (below the run folder as you named it), relative (to the output's"
            " folder) or absolute."
        ),
    )
    preset: PresetName | None = Field(
        None,
        description=(
            "Columns as a data set has them: dataflow, llava, instructpix2pix, magicbrush, hqedit or omniedit; a column"
            " that is named itself wins."
        ),
    )
    input_image_key: str = Field("images", min_length=1, description="Column with the image's path.")
    images_from: Path | None = Field(
        None,
        description="Folder in which relative paths of images begin (unset: the input's own, else the working folder).",
    )
    input_conversation_key: str = Field(
        "conversations", min_length=1, description="Column with the conversation that holds the instruction."
    )
    input_edit_key: str = Field(
        DEFAULT_EDIT_KEY, min_length=1, description="Column with an object of a row's own parameters."
    )
    output_image_key: str = Field("output_image", min_length=1, description="Column for the edited images' paths.")
    output_error_key: str = Field("error", min_length=1, description="Column for what is wrong with a row.")
    output_warning_key: str = Field(
        "warnings",
        min_length=1,
        description="Column for a list of warnings; only in rows that have any.",
    )
    details: bool = Field(
        default=False,
        description="Whether output rows say how they were made (seed, size, profile, …), in a column details.",
    )
    diffuser_num_inference_steps: Steps | None = Field(
        None, description="Denoising steps (unset: the model's own, see `producer models`)."
    )
    diffuser_guidance_scale: Guidance | None = Field(
        None, description="Guidance (unset: the model's own; a distilled one takes none)."
    )
    lora: Annotated[Loras | None, NoDecode] = Field(
        None,
        description=(
            "LoRA that is added to the model, as NAME[:WEIGHT]: a hub id, or a path that begins with / or ./; several"
            " by commas, or by as many options."
        ),
    )
    demand_profile: ProfileName | None = Field(
        None,
        description=("How a worker must calculate to be given a row: reference, exact or fast (unset: as it likes)."),
    )
    seed: Seed = Field(0, description="The run's seed, from which every row's own is derived.")
    turns: Turns = Field(
        "last",
        description=(
            "Of several user turns in a row: last edits by the last one, each applies one after the other and keeps the"
            " pictures of all."
        ),
    )
    num_images: NumImages = Field(1, description="Images to make per row.")
    keep_markup: bool = Field(
        default=False, description="Whether placeholders of an image, such as <image>, stay in the instruction."
    )
    size: Size | None = Field(
        None,
        description=(
            "Output size: auto (input's shape, model's area), input (its exact size), bucket (model's own) or 1280x720"
            " (unset: auto; text2image: the model's square one)."
        ),
    )
    multi_image: MultiImage = Field(
        "first",
        description=(
            "Of several images in a row: first edits the first, stitch all, side by si"
            "de; references hands all to the model."
        ),
    )
    long_instruction: LongInstruction = Field(
        "warn",
        description="An instruction longer than the model reads: warn edits by what is read, error makes it an error.",
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
    priority: Priority = Field(
        DEFAULT_PRIORITY,
        description=(
            "0 to 9: how often its rows have their turn beside other runs'; each step more is twice as often."
        ),
    )
    max_queued: int = Field(50_000, ge=1, description="Most unanswered rows of a run in Redis at a time.")
