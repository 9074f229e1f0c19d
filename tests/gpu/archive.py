"""All results in one file, made anew after each part, for machines that send few files back. No torch."""

import tarfile
from pathlib import Path
from typing import Final

#: Largest file that goes along, in bytes; traces of some profiles are larger, and their tables are in the report.
_LARGEST: Final = 4 * 2**20


def pack(folder: Path, archive: Path) -> None:
    """Put the results into a .tgz, in the place of an earlier one."""
    unfinished = archive.with_name(f".{archive.name}")
    with tarfile.open(unfinished, "w:gz") as packed:
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.absolute() != archive.absolute() and path.stat().st_size <= _LARGEST:
                packed.add(path, arcname=f"{folder.name}/{path.name}")
    unfinished.replace(archive)
