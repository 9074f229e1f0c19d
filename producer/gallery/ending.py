"""The gallery at a run's end: made where that takes no time to speak of, and never a reason to fail."""

from pathlib import Path
from typing import Final

from producer.gallery.gallery import Gallery
from worker.contract.errors import FleetError

#: Most rows of a run whose gallery is made at its end: on one core a row of Kontext's takes a tenth of a second.
MOST_AT_END: Final = 200


def at_the_end(folder: Path, rows: int) -> str:
    """Make the gallery of a run of so many rows; return a sentence that says where it is, or how it is made."""
    command = f"producer gallery {folder}"
    if rows > MOST_AT_END:
        return f"Look at them with: {command}"
    try:
        gallery = Gallery(folder)
        gallery.make()
    except FleetError as error:
        return str(error)
    # The run is done, whatever a picture, a disk or a browser's page makes of it.
    except Exception as error:
        return f"The gallery could not be made ({type(error).__name__}: {error}); try: {command}"
    return f"Look at them in a browser: {gallery.index}"
