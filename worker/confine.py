"""Keeping rows inside the folders that are meant for them: whoever can write to Redis can name any path."""

from pathlib import Path

from worker.errors import RowError


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
