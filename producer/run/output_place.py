"""Where a run's output may go: nowhere that it would destroy something."""

from collections.abc import Iterable
from pathlib import Path

from worker.contract.errors import SettingsError
from worker.contract.layout import is_in_row_folder


def require_free(output: Path, *, taken: Iterable[Path], folder: Path) -> None:
    """Make sure that writing the output destroys nothing: none of the files that are `taken`, nor a row's images.

    Raises:
        SettingsError: it would; names what.

    """
    target = output.resolve()
    for path in taken:
        if target == path.resolve():
            raise SettingsError(f"FLEET_OUTPUT: the output would overwrite {path}; name another file.")
    if target.exists() and not target.is_file():
        raise SettingsError(f"FLEET_OUTPUT: {output} is a folder or a device; name a file.")
    inside = folder.resolve()
    if target.is_relative_to(inside) and is_in_row_folder(target.relative_to(inside).as_posix()):
        raise SettingsError(f"FLEET_OUTPUT: {target.parent} is for the images of a row; name another file.")
