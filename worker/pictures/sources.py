"""What an image of a request names: a file, an object of a store, a file on a web server, or a picture in the row."""

from collections.abc import Iterable
from pathlib import Path

from worker.contract.errors import RowError
from worker.contract.inline_images import is_inline
from worker.contract.urls import normalised, scheme_of, shown
from worker.pictures.confine import Limits, confined, confined_url
from worker.pictures.finding import longest
from worker.pictures.inline import InlineFile
from worker.pictures.remote import Allowance, StoredFile, WebFile

Source = Path | InlineFile | StoredFile | WebFile


def sources_of(images: Iterable[str], limits: Limits) -> list[Source]:
    """Return what is read of a row's images, which together are no longer than one may be alone.

    Raises:
        RowError: as `source_of`.

    """
    allowance = Allowance(longest(limits.max_pixels))
    return [source_of(image, limits, allowance) for image in images]


def source_of(image: str, limits: Limits, allowance: Allowance | None = None) -> Source:
    """Return what is read of an image; nothing of it is, yet. `allowance`: its row's, where that has other images.

    Raises:
        RowError: it is none that may be read here, or a picture in the row that is none.

    """
    if is_inline(image):
        return InlineFile(image)
    if (scheme := scheme_of(image)) is None:
        return confined(Path(image), limits.input_root, "FLEET_INPUT_ROOT")
    if scheme == "https":
        try:
            url = normalised(image)
        except ValueError as error:
            raise RowError(f"{shown(image)}: {error}.") from None
        return WebFile(url, hosts=limits.allow_urls, allowance=allowance or Allowance(longest(limits.max_pixels)))
    return StoredFile(confined_url(image, limits.input_root, "FLEET_INPUT_ROOT"))
