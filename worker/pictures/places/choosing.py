"""Which place a run's pictures have: by how it is named."""

from pathlib import Path

from worker.pictures.places.folder import Folder
from worker.pictures.places.place import Place

#: The folder that everything must lie in; None where there is none.
Root = Path | None


def place_of(where: str, root: Root = None) -> Place:
    """Return the place that a request names."""
    return Folder(Path(where), root=root)
