"""Where a row's images lie in its run folder: as DataFlow has them, or with so many rows to a folder."""

import re
from typing import Final

#: Folders of rows below a run folder, in either layout.
_ROW_FOLDER: Final = re.compile(r"(shard_\d{4,}/)?sample_\d+/")


def row_folder(row: int, shard_folders: int | None) -> str:
    """Name the folder of a row's images, relative to the run folder: "sample_30123", or "shard_0003/sample_30123".

    `shard_folders`: most rows of a shard; None where there are none.
    """
    sample = f"sample_{row}"
    return sample if shard_folders is None else f"shard_{row // shard_folders:04d}/{sample}"


def is_in_row_folder(path: str) -> bool:
    """Tell whether a path, relative to a run folder, is of a file in the folder of a row, whatever the run's layout."""
    return _ROW_FOLDER.match(path) is not None
