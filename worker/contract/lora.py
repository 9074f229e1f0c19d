"""How a LoRA is named, the same in settings, in a row's own object, on the network and in what is said of a picture."""

import os
import re
from collections.abc import Iterable
from typing import Annotated, Any, Final, NamedTuple

from pydantic import AfterValidator, BeforeValidator

#: Most of them together in one edit: their products are added up, layer by layer.
_MOST: Final = 8

#: Weights that are any use; a number beyond is a slip, such as 80 for 80 %.
_LARGEST: Final = 10.0

#: Pickled files: reading one runs whatever stands in it.
_PICKLED: Final = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth")

_PATH: Final = ("/", "./", "../", "~")
_HUB_ID: Final = re.compile(r"[\w.-]+/[\w.-]+(?<!\.safetensors)((/[^/\0]+)+(?<=\.safetensors))?")
_WEIGHT: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)


class Lora(NamedTuple):
    """A LoRA and how much of it is added; its text is `name:weight`."""

    #: The path of a file or of a folder with one, or a hub id: owner/name, or owner/name/file.safetensors.
    name: str
    weight: float

    @property
    def is_path(self) -> bool:
        """Whether it lies in a folder; else the hub has it."""
        return self.name.startswith(_PATH)

    def __str__(self) -> str:
        return f"{self.name}:{str(self.weight).removesuffix('.0')}"


def lora_of(text: str) -> Lora:
    """Read `name` or `name:weight`; what follows a colon and is no number belongs to the name.

    Raises:
        ValueError: it is neither a path nor a hub id, names pickled weights, or its weight is out of range.

    """
    name, _, weight = text.strip().rpartition(":")
    if not _WEIGHT.fullmatch(weight):
        name, weight = text.strip(), "1"
    lora = Lora(name, float(weight))
    if name.lower().endswith(_PICKLED):
        raise ValueError(f"{name} has pickled weights, which run code when they are read; name a .safetensors")
    if not lora.is_path and (not _HUB_ID.fullmatch(name) or {".", ".."} & {*name.split("/")}):
        raise ValueError(
            f"{name or 'nothing'} is neither a path, which begins with / or ./, nor a hub id"
            " (owner/name, or owner/name/file.safetensors)"
        )
    if not abs(lora.weight) <= _LARGEST:
        raise ValueError(f"the weight of {name} is {weight}, and it must be from {-_LARGEST:g} to {_LARGEST:g}")
    return lora


def based(loras: Iterable[str], folder: str) -> tuple[str, ...]:
    """Return LoRAs with absolute paths, which begin in a folder, in the order that all of them have.

    Raises:
        ValueError: one is there twice.

    """
    found = [lora_of(text) for text in loras]
    placed = [lora._replace(name=_absolute(lora.name, folder)) if lora.is_path else lora for lora in found]
    names = [lora.name for lora in placed]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"{twice} is there twice; give it one weight")
    return tuple(sorted(map(str, placed)))


def _absolute(name: str, folder: str) -> str:
    return os.path.normpath(os.path.join(folder, os.path.expanduser(name)))  # noqa: PTH111, PTH118 - text, of millions of rows


def _listed(given: Any) -> Any:
    """Return what was given as its text or as a list, as (name:weight, …); one of weight 0 is none."""
    texts = given.split(",") if isinstance(given, str) and given.strip() else ([] if isinstance(given, str) else given)
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise ValueError("expected a text such as owner/name:0.8, or a list of such")
    if len(texts) > _MOST:
        raise ValueError(f"{len(texts)} LoRAs are more than the {_MOST} that go together")
    return tuple(str(lora) for lora in map(lora_of, texts) if lora.weight)


def _all_absolute(loras: tuple[str, ...]) -> tuple[str, ...]:
    if relative := next((text for text in loras if lora_of(text).is_path and not text.startswith("/")), None):
        raise ValueError(f"{relative} must be absolute")
    return loras


#: The LoRAs of an edit as a user names them.
Loras = Annotated[tuple[str, ...], BeforeValidator(_listed)]

#: As they cross the network: a path is absolute, as every one there.
PlacedLoras = Annotated[Loras, AfterValidator(_all_absolute)]
