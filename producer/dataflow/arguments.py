"""What DataFlow's scripts give its serving, as parameters of runs; whatever is wrong with it is said at once."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from producer.interface.parameters import Parameters, settings_of
from worker.contract.catalog import MODELS
from worker.contract.errors import SettingsError
from worker.settings.fleet import Settings

#: Its models by its own names, and what it takes of them where a script names nothing.
_ORIGINALS: Final = {"FLUX": "FLUX.1-dev", "FLUX-Kontext": "FLUX-Kontext"}
_ORIGINAL_STEPS: Final = 50
_ORIGINAL_GUIDANCE: Final = 2.5
_ORIGINAL_SIDE: Final = 1024

#: The serving's names of parameters that are called otherwise in runs.
_NAMES: Final[Mapping[str, str]] = {
    "model": "diffuser_model_name",
    "task": "Image_gen_task",
    "steps": "diffuser_num_inference_steps",
    "guidance": "diffuser_guidance_scale",
    "num_images": "diffuser_num_images_per_prompt",
    "size": "diffuser_image_width x diffuser_image_height",
}


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """The arguments of a serving's constructor, as DataFlow names them; None: not given."""

    image_io: Any
    hf_model_name_or_path: str | list[str] | None
    hf_cache_dir: str | os.PathLike[str] | None
    hf_local_dir: str | os.PathLike[str] | None
    task: str
    batch_size: int
    model: str
    height: int | None
    width: int | None
    steps: int | None
    guidance: float | None
    num_images: int

    def save_path(self) -> str:
        """Return the folder of the pictures, as it was named; it is made where there is none.

        Raises:
            SettingsError: none is named, or it cannot be written.

        """
        found = getattr(self.image_io, "save_path", None)
        if not isinstance(found, str | os.PathLike) or not str(found):
            raise SettingsError(f"image_io has a save_path, the folder of the pictures; found {found!r:.80}.")
        path = os.fspath(found)
        try:
            Path(path).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"image_io.save_path: the folder {path} cannot be made ({error.strerror}).") from None
        if not os.access(path, os.W_OK | os.X_OK):
            raise SettingsError(f"image_io.save_path: the folder {path} cannot be written; name another.")
        return path

    def parameters(self) -> Parameters:
        """Return the parameters of runs.

        Raises:
            SettingsError: one is wrong; the sentence begins with its name here.

        """
        is_original = self.model in _ORIGINALS
        given = {
            "model": _ORIGINALS.get(self.model, self.model),
            "task": self.task,
            "hf_model_name_or_path": self._weights(),
            "hf_cache_dir": self.hf_cache_dir,
            "hf_local_dir": self.hf_local_dir,
            "batch_size": self.batch_size,
            "steps": _ORIGINAL_STEPS if is_original and self.steps is None else self.steps,
            "guidance": _ORIGINAL_GUIDANCE if is_original and self.guidance is None else self.guidance,
            "num_images": self.num_images,
            "size": self._size(),
        }
        parameters: Any = {name: value for name, value in given.items() if value is not None}
        settings_in_its_names(parameters)
        return parameters  # type: ignore[no-any-return] # just checked

    def workers(self) -> int | None:
        """Return how many workers a list of models asks for; None: one per GPU."""
        return len(self.hf_model_name_or_path) if isinstance(self.hf_model_name_or_path, list) else None

    def _weights(self) -> str | None:
        given = self.hf_model_name_or_path
        if not isinstance(given, list):
            return given
        if len(set(map(str, given))) != 1:
            raise SettingsError(
                f"hf_model_name_or_path: a serving has one model, which each GPU loads; found {len(set(given))} in the"
                " list. Make a serving for each, with a save_path of its own."
            )
        return given[0]

    def _size(self) -> str | None:
        """Return the size of a picture that is made; None for what the task has by itself."""
        height, width = (_side(name, side) for name, side in (("height", self.height), ("width", self.width)))
        spec = MODELS.get(_ORIGINALS.get(self.model, self.model))
        if (height, width) == (_ORIGINAL_SIDE, _ORIGINAL_SIDE) or spec is None:  # who has no such model is told so
            return None
        if self.task == "text2image":
            return f"{width}x{height}"
        # As FLUX-Kontext's pipeline does it there: of both sides it takes the ratio alone.
        area, multiple = spec.square.width * spec.square.height, spec.multiple
        sides = (math.sqrt(area * width / height), math.sqrt(area * height / width))
        return "x".join(str(round(side) // multiple * multiple) for side in sides)


def settings_in_its_names(parameters: Mapping[str, Any]) -> Settings:
    """Return the settings of runs with these parameters.

    Raises:
        SettingsError: one is wrong; the sentence begins with the serving's name of it.

    """
    try:
        return settings_of(parameters, run_dir=None, broker_url=None)
    except SettingsError as error:
        sentence = str(error)
        for name in parameters:
            before, variable, rest = sentence.partition(f"{name} / FLEET_")
            if variable and not before:
                what = rest.partition(":")[2] or rest.partition(" ")[2]
                raise SettingsError(f"{_NAMES.get(name, name)}: {what.strip()}") from None
        raise


def _side(name: str, side: int | None) -> int:
    if side is None:
        return _ORIGINAL_SIDE
    if not isinstance(side, int) or isinstance(side, bool) or side <= 0:
        raise SettingsError(f"diffuser_image_{name} is a number of pixels; found {side!r:.40}.")
    return side
