"""Saying how far the weights are, every ten seconds: of a download, and of the way onto the GPU."""

import io
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from tqdm.auto import tqdm  # which the hub asks for

logger = logging.getLogger(__name__)

#: Seconds from one line to the next: a download of 34 GB takes minutes, and a log wants no bar.
_EVERY: Final = 10.0

#: How huggingface_hub names the bar of bytes that came over the network; the other one's are in their files.
_TRANSFER: Final = "Downloading bytes"


class DownloadLog(tqdm):  # type: ignore[type-arg] # at run time it takes none
    """Stands where the hub's client wants a bar, and writes a line into the log instead."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        is_told = kwargs.get("unit") == "B" and not str(kwargs.get("desc")).startswith(_TRANSFER)
        #: When the next line may come; never of files, nor of bytes on the network.
        self._next = time.monotonic() if is_told else float("inf")
        super().__init__(*args, **{**kwargs, "mininterval": _EVERY, "file": io.StringIO()})

    def display(self, msg: str | None = None, pos: int | None = None) -> None:  # noqa: ARG002 - tqdm's signature
        """Say how many bytes there are, where it is time: a bar is drawn anew for each file as well."""
        if self.n and time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY
            rate = self.format_dict["rate"] or self.n / max(self.format_dict["elapsed"], 1e-3)
            logger.info("weights: %s downloaded, %.0f MB/s", _of(self.n, self.total), rate / 1e6)


@contextmanager
def loading_told(size: int, loaded: Callable[[], int], every: float = _EVERY) -> Iterator[None]:
    """Write meanwhile how many of the weights' bytes are loaded, as `loaded` has them."""
    over, begun, before = threading.Event(), time.monotonic(), loaded()

    def tell() -> None:
        while not over.wait(every):
            there = loaded() - before
            rate = there / (time.monotonic() - begun)
            logger.info("weights: %s loaded, %.2f GB/s", _of(there, size), rate / 1e9)

    teller = threading.Thread(target=tell, name="weights", daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _of(there: float, size: float | None) -> str:
    return f"{there / 1e9:.1f} of {max(there, size or 0) / 1e9:.1f} GB"
