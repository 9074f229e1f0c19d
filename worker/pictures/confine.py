"""What rows may ask for, and the folders that they are kept in: whoever can write to Redis can name any path."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from worker.contract.errors import RowError
from worker.contract.urls import is_below, normalised, shown
from worker.settings.fleet import Settings


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What rows may ask for."""

    #: Most pixels of an input picture, and of all that are decoded at a time.
    max_pixels: int
    #: Folders, or URLs of a store, that input files and runs' pictures must lie in; None: anywhere.
    input_root: Path | str | None = None
    output_root: Path | str | None = None
    #: Folder that LoRAs must lie in; None: that of input files, or on the hub.
    lora_root: Path | None = None
    #: Hosts of which files are fetched at https://, with a port where it is another than 443.
    allow_urls: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what a worker's settings allow."""
        return cls(
            max_pixels=settings.max_pixels,
            input_root=settings.input_root,
            output_root=settings.output_root,
            lora_root=settings.lora_root,
            allow_urls=settings.allow_urls or (),
        )


def confined(path: Path, root: Path | str | None, setting: str) -> Path:
    """Return the path; where there is a root, as it is once every link and ".." is followed.

    Raises:
        RowError: it leads out of the root; the sentence names the setting.

    """
    if root is None:
        return path
    if isinstance(root, str):
        raise RowError(f"{path}: leads out of {setting}.")
    try:
        real = path.resolve()
        inside = real.is_relative_to(root.expanduser().resolve())
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle; characters that no path has
        raise RowError(f"{path}: cannot be followed ({error}).") from None
    if not inside:
        raise RowError(f"{path}: leads out of {setting}.")
    return real


def confined_url(url: str, root: Path | str | None, setting: str) -> str:
    """Return a store's URL in its one form.

    Raises:
        RowError: it has none, or leads out of the root, as each does where that is a folder; the sentence names the
            setting.

    """
    try:
        url = normalised(url)
    except ValueError as error:
        raise RowError(f"{shown(url)}: {error}.") from None
    if root is not None and not (isinstance(root, str) and is_below(url, root)):
        raise RowError(f"{shown(url)}: leads out of {setting}.")
    return url
