"""Every setting of the fleet: one frozen class, read from `FLEET_*` variables, validated once."""

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, field_validator, model_validator

from worker.contract.broker_url import redis_url
from worker.contract.buckets import Bucket
from worker.contract.catalog import MODELS, model_id, unknown
from worker.contract.errors import SettingsError
from worker.contract.lora import based
from worker.contract.messages import first_problem, queue_name, queue_names
from worker.contract.model_spec import ModelSpec
from worker.contract.parameters import rounded_size
from worker.contract.pictures_url import pictures_url
from worker.contract.profiles import PROFILES, Profile
from worker.settings.possible import impossible, out_of_task
from worker.settings.presets import PRESETS
from worker.settings.run import DEFAULT_EDIT_KEY, RunSettings
from worker.settings.worker import DEFAULT_BROKER, WorkerSettings


# The right one's fields come first: the table in docs/settings.md has this order.
class Settings(RunSettings, WorkerSettings):
    """Settings of producer and worker. A field `x` is read from the variable `FLEET_X`."""

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, given: dict[str, Any]) -> dict[str, Any]:
        # A name that is none is refused by its own field.
        return {**PRESETS.get(str(given.get("preset")), {}), **given}

    @field_validator("diffuser_model_name")
    @classmethod
    def _known_model(cls, name: str) -> str:
        if name not in MODELS:
            raise ValueError(unknown(name))
        return name

    @field_validator("lora")
    @classmethod
    def _lora_from_here(cls, loras: tuple[str, ...] | None) -> tuple[str, ...] | None:
        # Absolute, since the run folder remembers it, and the next command may stand elsewhere.
        return loras and based(loras, str(Path.cwd()))

    @field_validator("pictures")
    @classmethod
    def _known_store(cls, url: str | None) -> str | None:
        return None if url is None else pictures_url(url)

    @field_validator("broker_url")
    @classmethod
    def _redis_only(cls, url: str | None) -> str | None:
        return None if url is None else redis_url(url)

    @model_validator(mode="after")
    def _named_by_urls(self) -> Self:
        if self.pictures is not None and self.output_paths == "relative":
            raise ValueError("FLEET_OUTPUT_PATHS: relative is nothing for images at an object store, which have URLs")
        return self

    @model_validator(mode="after")
    def _distinct_columns(self) -> Self:
        outputs = ("output_image_key", "output_error_key", "output_warning_key")
        names = ["input_image_key", "input_conversation_key", *outputs]
        if self.edit_key is not None:
            names.append("input_edit_key")
        for one, other in combinations(names, 2):
            if getattr(self, one) == getattr(self, other) and not self._may_be_one(one, other):
                both = f"FLEET_{one.upper()} and FLEET_{other.upper()}"
                raise ValueError(f"{both} must differ, found {getattr(self, one)} twice")
        for name in outputs:
            if (column := getattr(self, name)) == "raw" or (self.details and column == "details"):
                raise ValueError(f"FLEET_{name.upper()} must not be {column}, a column of the output")
        return self

    def _may_be_one(self, one: str, other: str) -> bool:
        """Tell whether two columns may have one name: a row without an image may get its pictures in that column."""
        return self.image_gen_task == "text2image" and (one, other) == ("input_image_key", "output_image_key")

    @model_validator(mode="after")
    def _possible_with_the_model(self) -> Self:
        given = self.diffuser_guidance_scale
        if (
            why := impossible(
                self.spec,
                weights=self.weights,
                guidance=given,
                multi_image=self.multi_image,
                fuse_qkv=self.fuse_qkv,
            )
        ) is not None:
            raise ValueError(why)
        task, multi_image, turns = self.image_gen_task, self.multi_image, self.turns
        if (why := out_of_task(self.spec, task, size=self.size, multi_image=multi_image, turns=turns)) is not None:
            raise ValueError(why)
        return self

    @model_validator(mode="after")
    def _known_resolutions(self) -> Self:
        known = [str(bucket) for bucket in self.spec.buckets]
        if unknown := [name for name in _names(self.warm_up) if name not in {*known, "all"}]:
            there_are = f"there are {', '.join(known)}, and all"
            raise ValueError(f"FLEET_WARM_UP: {unknown[0]} is no resolution of {self.spec.name}; {there_are}")
        return self

    @property
    def edit_key(self) -> str | None:
        """Column of a row's own parameters; None where another column has its default name."""
        others = {self.input_image_key, self.input_conversation_key, self.output_image_key, self.output_error_key}
        is_taken = self.input_edit_key == DEFAULT_EDIT_KEY and DEFAULT_EDIT_KEY in {*others, self.output_warning_key}
        return None if is_taken else self.input_edit_key

    @property
    def broker(self) -> str:
        """URL of the Redis to use where none was named: the one on this machine."""
        return self.broker_url or DEFAULT_BROKER

    @property
    def spec(self) -> ModelSpec:
        """The model family's own defaults."""
        return MODELS[self.diffuser_model_name]

    @property
    def model(self) -> str:
        """Identity of the exact weights; names the lane."""
        return model_id(self.diffuser_model_name, self.weights, self.hf_revision)

    @property
    def weights(self) -> str:
        """Hub id or local folder of the weights: the user's, or else the model's own."""
        return self.hf_model_name_or_path or self.spec.weights

    @property
    def download_folder(self) -> Path | None:
        """Folder that the weights are downloaded into, one per model and revision; None for the hub's cache."""
        if self.hf_local_dir is None:
            return None
        revision = f"@{self.hf_revision.replace('/', '--')}" if self.hf_revision else ""
        return self.hf_local_dir.expanduser() / f"{self.weights.replace('/', '--')}{revision}"

    @property
    def queue(self) -> str:
        """Name of the lane in which a run's queue is."""
        return queue_name(self.model, self.demand_profile, task=self.image_gen_task)

    @property
    def lane(self) -> str:
        """Name of the lane of rows without a demand, which every worker with these settings takes."""
        return queue_name(self.model, task=self.image_gen_task)

    @property
    def lanes(self) -> tuple[str, ...]:
        """Names of all lanes of the model and the task, whatever their rows demand."""
        return queue_names(self.model, self.image_gen_task)

    def profile_on(self, *, gpu: bool) -> Profile:
        """Return how the model calculates on a machine with or without a GPU: its profile, and what is set apart."""
        profile = PROFILES[self.profile or (self.spec.profile if gpu else "reference")]
        return Profile(
            name=profile.name,
            compiled=profile.compiled if self.compile is None else self.compile,
            attention=self.attention or profile.attention,
            fused=profile.fused if self.fuse_qkv is None else self.fuse_qkv,
            fp8=profile.fp8 if self.fp8 is None else self.fp8,
            step_interval=self.step_interval or profile.step_interval,
        )

    @property
    def warm_buckets(self) -> tuple[Bucket, ...]:
        """Resolutions to compile before the first row."""
        names = _names(self.warm_up) or [str(self.spec.square)]
        return tuple(bucket for bucket in self.spec.buckets if "all" in names or str(bucket) in names)

    @property
    def steps(self) -> int:
        """Denoising steps: the user's, or else the model's own."""
        return self.diffuser_num_inference_steps or self.spec.steps

    @property
    def guidance(self) -> float:
        """Guidance: the user's, or else the model's own."""
        return self.spec.guidance if self.diffuser_guidance_scale is None else self.diffuser_guidance_scale

    @property
    def output_size(self) -> str:
        """The output's size: the user's, or else the usual one of the task."""
        return self.size or ("auto" if self.image_gen_task == "imageedit" else str(self.spec.square))

    @property
    def model_size(self) -> str:
        """The same; an explicit one as the model takes it."""
        return rounded_size(self.output_size, self.spec.multiple)

    @property
    def in_flight(self) -> int:
        """Rows that a worker holds at a time: as many as keep full batches ready, and no more.

        With K shapes and batches of B, K·(B-1)+1 waiting rows always hold a full batch; one batch is on
        the GPU, and one is being decoded or encoded. K = 6: the shapes of an ordinary photo collection.
        """
        return self.rows_in_flight or _SHAPES * (self.batch_size - 1) + 1 + 2 * self.batch_size

    @property
    def most_images(self) -> int:
        """Images in one call of the model at any resolution: as many rows as keep a second batch ready beside it."""
        return max(self.batch_size, self.in_flight // 3)


_SHAPES = 6


def _names(listed: str | None) -> list[str]:
    return [name.strip() for name in (listed or "").split(",") if name.strip()]


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


#: Of these a message never repeats what was given.
_MAY_HOLD_SECRETS = ("broker_url", "pictures")
#: Settings that may be URLs: what was found may hold a password, and their own sentences show what they may of it.
_URLS = frozenset({"input_root", "output_root", "allow_urls"})


def _in_words(error: ValidationError) -> str:
    field = str((error.errors()[0]["loc"] or ("",))[0])
    if field in _MAY_HOLD_SECRETS:
        return f"FLEET_{field.upper()} {error.errors()[0]['msg'].removeprefix('Value error, ')}."
    if field in _URLS:
        return f"FLEET_{field.upper()}: {error.errors()[0]['msg'].removeprefix('Value error, ')}."
    problem = first_problem(error)
    return f"FLEET_{field.upper()}: {problem.partition(': ')[2]}." if field else f"{problem}."
