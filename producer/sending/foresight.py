"""Looking ahead before the first worker starts: no model is loaded for an input of which no row can be edited."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from typing import Final

from worker.contract.errors import RowError, TransientError, one_line
from worker.contract.messages import EditRequest, Outcome
from worker.pictures.confine import Limits
from worker.pictures.decoding import size_of
from worker.pictures.places.choosing import confined_place
from worker.pictures.sources import source_of
from worker.settings.fleet import Settings

#: Most rows that are looked at: of an input that begins with more bad ones workers find the rest sooner.
_MOST: Final = 10_000

#: Rows that are looked at side by side, once the first one is bad.
_ABREAST: Final = 64

#: Who has answered them, in the run's counts.
_NAME: Final = "producer"


class Foresight:
    """Knows what becomes of the rows before the first one that can be edited, as far as headers of images tell.

    One good row ends it, so that it costs a run of good rows one header.
    """

    def __init__(self, settings: Settings, most: int = _MOST) -> None:
        self._settings = settings
        self._left = most

    def __call__(self, requests: Sequence[EditRequest]) -> list[Outcome]:
        """Return the outcomes of the first rows, in the words of a worker: of none, or up to one that can be edited."""
        outcomes: list[Outcome] = []
        if self._left <= 0:
            return outcomes
        abreast = 1
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            while self._left > 0 and len(outcomes) < len(requests):
                some = requests[len(outcomes) : len(outcomes) + min(abreast, self._left)]
                errors = list(takewhile(bool, threads.map(self._error, some)))
                outcomes += map(_failed, some, errors)
                self._left = self._left - len(errors) if len(errors) == len(some) else 0
                abreast = _ABREAST
        return outcomes

    def _error(self, request: EditRequest) -> str | None:
        try:
            _read_headers(request, self._settings)
        except TransientError:
            return None
        except RowError as error:
            return one_line(error)
        except Exception:  # what nobody has thought of, a worker says of that row
            return None
        return None


def _read_headers(request: EditRequest, settings: Settings) -> None:
    """Read the headers of a row's images, as a worker begins.

    Raises:
        RowError: it cannot be edited.

    """
    limits = Limits.of(settings)
    confined_place(request.output_dir, limits.output_root)
    for image in request.images:
        size_of(source_of(image, limits), max_pixels=limits.max_pixels, root=limits.input_root)


def _failed(request: EditRequest, error: str | None) -> Outcome:
    return Outcome(
        run=request.run,
        row=request.row,
        fingerprint=request.fingerprint,
        status="failed",
        error=error,
        seed=request.seed,
        worker=_NAME,
    )
