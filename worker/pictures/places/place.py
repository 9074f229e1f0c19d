"""What every place for a run's pictures does."""

import re
from collections.abc import Callable, Iterable
from typing import IO, NamedTuple, Protocol


def is_picture(name: str, folder: str) -> bool:
    """Tell whether a file in the folder of a row has the name of a picture of any form of that row."""
    return re.fullmatch(_picture(folder), name) is not None


def is_temporary(name: str, folder: str) -> bool:
    """Tell whether one has the name under which such a picture is written."""
    return re.fullmatch(rf"\.{_picture(folder)}\.[0-9a-f]{{32}}\.tmp", name) is not None


def _picture(folder: str) -> str:
    return rf"({folder.rpartition('/')[2]}|turn_\d+)_\d+\.(png|webp|jpg)"


class Picture(NamedTuple):
    """A picture that is to be put somewhere."""

    #: Relative to the place.
    path: str
    #: Writes it into a file.
    encode: Callable[[IO[bytes]], None]


class Place(Protocol):
    """A place for the pictures of one run; paths are relative to it. Its methods may be called by several threads."""

    #: Pictures that may be looked at side by side.
    abreast: int

    def name(self, path: str) -> str:
        """Return how a picture is called outside: its absolute path."""
        ...

    def write(self, folder: str, pictures: Iterable[Picture], *, fingerprint: str, confirm: Callable[[], None]) -> None:
        """Put all pictures of a row into its `folder`, and drop those of its older forms.

        A final name always holds a whole picture, whenever the machine dies. `confirm` is called before the first
        of them takes its place: what it raises leaves everything as it was.

        Raises:
            RowError: nothing can be written there, or it lies out of the root.
            TransientError: not now.

        """
        ...

    def is_whole(self, path: str, fingerprint: str) -> bool:
        """Tell whether a picture is there, whole, and made for the request of this fingerprint."""
        ...

    def flaw(self, path: str, fingerprint: str, *, fast: bool) -> str | None:
        """Say what is wrong with a picture that should be there; None if nothing is.

        `fast`: only whether it is there, and holds anything.
        """
        ...

    def drop(self, paths: Iterable[str]) -> None:
        """Remove pictures, as far as they are there."""
        ...

    def drop_temporaries(self, folder: str) -> None:
        """Remove what workers that died have left in the folder of a row."""
        ...
