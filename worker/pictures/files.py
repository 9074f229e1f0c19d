"""A row's files: naming them, writing them whole or not at all, knowing them again; wherever its run's pictures are."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import product
from pathlib import Path

from PIL import Image

from worker.contract.layout import row_folder
from worker.contract.messages import EditRequest
from worker.pictures.encoding import encode
from worker.pictures.places.choosing import place_of
from worker.pictures.places.place import Picture


def sample_paths(request: EditRequest) -> tuple[str, ...]:
    """Name a row's images, relative to their run's place, as DataFlow does; a run may have its rows in shards."""
    name = f"{_folder(request)}/sample_{request.row}"
    return tuple(f"{name}_{index}.{request.image_format}" for index in range(request.num_images))


def turn_paths(request: EditRequest) -> tuple[str, ...]:
    """Name the images of a row's turns before the last, likewise, turn by turn; none where it has one turn."""
    folder, turns, images = _folder(request), range(1, len(request.prompts)), range(request.num_images)
    return tuple(f"{folder}/turn_{turn}_{index}.{request.image_format}" for turn, index in product(turns, images))


def save(
    request: EditRequest,
    images: Iterable[Image.Image],
    *,
    profile: str,
    confirm: Callable[[], None],
    root: Path | str | None = None,
) -> tuple[str, ...]:
    """Write a row's images, and drop those of its older forms; return their paths relative to their run's place.

    The images are in order, those of its first turn first. `profile` is how the model that made them calculates, for
    their metadata. A final name always holds a whole picture. `confirm` is called before anything takes its place: what
    it raises leaves everything as it was.

    Raises:
        RowError: nothing can be written there, or it lies out of `root`.
        TransientError: nothing can be written there now.

    """
    paths = _all_paths(request)
    # One at a time: each is made when it is written.
    pictures = (
        Picture(path, partial(encode, image, request=request, index=index, profile=profile))
        for index, (path, image) in enumerate(zip(paths, images, strict=True))
    )
    place = place_of(request.output_dir, root)
    place.write(_folder(request), pictures, fingerprint=request.fingerprint, confirm=confirm)
    return paths


def finished(request: EditRequest) -> bool:
    """Tell whether the row's whole set of images is there, each whole and made for just this request.

    Raises:
        RowError: nobody may look there.
        TransientError: nobody can look there now.

    """
    place = place_of(request.output_dir)
    return all(place.is_whole(path, request.fingerprint) for path in _all_paths(request))


def drop_temporaries(request: EditRequest) -> None:
    """Drop what workers that died have left of a row."""
    place_of(request.output_dir).drop_temporaries(_folder(request))


def _all_paths(request: EditRequest) -> tuple[str, ...]:
    return (*turn_paths(request), *sample_paths(request))


def _folder(request: EditRequest) -> str:
    return row_folder(request.row, request.shard_folders)
