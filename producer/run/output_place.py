"""Where a run's output may go: nowhere that it would destroy something; and what its name says that it is."""

from collections.abc import Iterable
from enum import Enum
from importlib.util import find_spec
from pathlib import Path

from worker.contract.errors import SettingsError
from worker.contract.layout import is_in_row_folder
from worker.contract.parameters import OutputImages


class Form(Enum):
    """How an output's rows are written."""

    #: One JSON object a line, whatever else the name says.
    LINES = "jsonl"
    ARRAY = "a JSON array"
    PARQUET = "parquet"

    @classmethod
    def of(cls, output: Path) -> "Form":
        """Return the form that an output's name says."""
        return {".json": cls.ARRAY, ".parquet": cls.PARQUET}.get(output.suffix.lower(), cls.LINES)


def require_form(output: Path, images: OutputImages) -> None:
    """Make sure that an output can be written in the form that its name says, with what it is to hold of images.

    Raises:
        SettingsError: it cannot.

    """
    is_parquet = Form.of(output) is Form.PARQUET
    if images == "bytes" and not is_parquet:
        raise SettingsError(
            f"FLEET_OUTPUT_IMAGES is bytes, which only parquet holds, and the output is {output}; name a .parquet with"
            " --output, or leave it out."
        )
    if is_parquet and find_spec("pyarrow") is None:
        raise SettingsError(
            f"FLEET_OUTPUT: {output} is parquet; install what writes it: pip install 'bulk-image-editor[tables]'."
        )


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
