"""Which place a run's pictures have, by how it is named, and whether a worker may write there."""

from pathlib import Path

from worker.contract.errors import RowError
from worker.contract.pictures_url import pictures_url
from worker.contract.urls import is_below, is_stored, shown
from worker.pictures.confine import confined
from worker.pictures.places.folder import Folder
from worker.pictures.places.place import Place
from worker.pictures.places.store import Store


def place_of(where: str, root: Path | str | None = None) -> Place:
    """Return the place of a name: an absolute path, or a URL; `root` is what a folder must not lead out of."""
    return Store(where) if is_stored(where) else Folder(Path(where), root=root)


def confined_place(where: str, root: Path | str | None) -> str:
    """Return the name of a place; where there is a root, as it is once every link and ".." is followed.

    Raises:
        RowError: it leads out of the root, as each URL does where that is a folder, or is no place.

    """
    if not is_stored(where):
        return str(confined(Path(where), root, "FLEET_OUTPUT_ROOT"))
    try:
        url = pictures_url(where)
    except ValueError as error:
        raise RowError(f"{shown(where)}: {error}.") from None
    if root is not None and not (isinstance(root, str) and is_below(f"{url}/", root)):
        raise RowError(f"{url}: leads out of FLEET_OUTPUT_ROOT.")
    return url
