"""A prefix at an object store for a run's pictures: each is one PUT, and is known again by what is kept beside it."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from typing import Final

from worker.contract.errors import RowError
from worker.pictures.places.place import Picture, is_picture
from worker.storage import objects
from worker.storage.prefixes import names_below

#: Requests at a time: each mostly waits.
_ABREAST: Final = 32

#: What is kept beside a picture, beside its digest, which the store itself checks and keeps.
_FINGERPRINT: Final = "fingerprint"

_TYPES: Final = {"png": "image/png", "webp": "image/webp", "jpg": "image/jpeg"}


class Store:
    """A prefix at an object store.

    A PUT takes effect whole or not at all, and its digest is checked by the store: what syncing and renaming do in a
    folder. So an object with a row's fingerprint beside it is that row's whole picture, and need not be read again.
    """

    def __init__(self, url: str) -> None:
        """`url` is without a slash at its end."""
        self.abreast = _ABREAST
        self._url = url

    def name(self, path: str) -> str:
        """Return the URL of a picture."""
        return f"{self._url}/{path}"

    def write(self, folder: str, pictures: Iterable[Picture], *, fingerprint: str, confirm: Callable[[], None]) -> None:
        """Put a row's images, and drop those of its older forms.

        All are encoded before `confirm` is called, and the first is put.

        Raises:
            RowError: the store refuses.
            TransientError: it has trouble that may pass.

        """
        made = [(path, self._encoded(path, encode)) for path, encode in pictures]
        confirm()
        for path, data in made:
            with self._naming(path):
                url, kind = self.name(path), _TYPES[path.rpartition(".")[2]]
                objects.put(url, data, content_type=kind, metadata={_FINGERPRINT: fingerprint})
        keep = {path for path, _ in made}
        self.drop(path for path in self._pictures_in(folder) if path not in keep)

    def is_whole(self, path: str, fingerprint: str) -> bool:
        """Tell whether a picture is there, made for the request of this fingerprint.

        Raises:
            RowError: the store does not say.
            TransientError: it does not for the moment.

        """
        return self.flaw(path, fingerprint, fast=False) is None

    def flaw(self, path: str, fingerprint: str, *, fast: bool) -> str | None:
        """Say what is wrong with a picture, without reading it.

        Raises:
            RowError: the store does not say.
            TransientError: it does not for the moment.

        """
        with self._naming(path):
            found = objects.head(self.name(path))
        if found is None:
            return "is gone"
        if not found.size:
            return "is empty"
        return None if fast or found.metadata.get(_FINGERPRINT) == fingerprint else "is another row's, or somebody's"

    def drop(self, paths: Iterable[str]) -> None:
        """Delete pictures.

        Raises:
            RowError: the store refuses.
            TransientError: it has trouble that may pass.

        """
        if some := [*paths]:
            with ThreadPoolExecutor(min(len(some), _ABREAST)) as threads:
                for _ in threads.map(self._drop, some):
                    pass

    def drop_temporaries(self, folder: str) -> None:
        """Do nothing: a PUT that was cut leaves nothing."""

    def _drop(self, path: str) -> None:
        with self._naming(path):
            objects.delete(self.name(path))

    def _pictures_in(self, folder: str) -> list[str]:
        with self._naming(folder):
            names = names_below(self.name(folder))
        return [f"{folder}/{name}" for name in names if is_picture(name, folder)]

    def _encoded(self, path: str, encode: Callable[[BytesIO], None]) -> bytes:
        file = BytesIO()
        try:
            encode(file)
        except OSError as error:
            raise RowError(f"picture {self.name(path)}: cannot be encoded ({error}).") from None
        return file.getvalue()

    @contextmanager
    def _naming(self, path: str) -> Iterator[None]:
        """Turn a store's reason into a sentence that names the picture."""
        try:
            yield
        except RowError as error:
            raise type(error)(f"picture {self.name(path)}: {error}.") from None
