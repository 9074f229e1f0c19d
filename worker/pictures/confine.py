"""What rows may ask for, and the folders that they are kept in: whoever can write to Redis can name any path."""

from dataclasses import dataclass
from pathlib import Path

from worker.contract.errors import RowError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What rows may ask for."""

    #: Most pixels of an input picture, and of all that are decoded at a time.
    max_pixels: int
    #: Folders that input files and run folders must lie in; None: anywhere.
    input_root: Path | None = None
    output_root: Path | None = None
    #: Folder that LoRAs must lie in; None: that of input files, or on the hub.
    lora_root: Path | None = None


def confined(path: Path, root: Path | None, setting: str) -> Path:
    """Return the path; where there is a root, as it is once every link and ".." is followed.

    Raises:
        RowError: it leads out of the root; the sentence names the setting.

    """
    if root is None:
        return path
    try:
        real = path.resolve()
        inside = real.is_relative_to(root.expanduser().resolve())
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle; characters that no path has
        raise RowError(f"{path}: cannot be followed ({error}).") from None
    if not inside:
        raise RowError(f"{path}: leads out of {setting}.")
    return real
