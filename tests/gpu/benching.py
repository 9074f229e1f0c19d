"""`worker.bench` as a part: in this process, by its command line."""

import io
import json
import statistics
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from shutil import copy
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.gpu.notes import Notes
from tests.gpu.scene import Scene
from tests.support.pictures import PHOTOS
from worker.bench.__main__ import main

#: Photographs, each a whole call of a profile; on a CPU one is enough to show that it works.
_PHOTOS: Final = (2, 1)

#: Of the part's limit, what the bench has: what it has begun by then it finishes.
_SHARE: Final = 0.75


def bench(scene: Scene, notes: Notes, resolutions: Sequence[str], batch: Sequence[int], *, rounds: int) -> None:
    """Measure exact and fast beside plain diffusers at these resolutions, with so many images in a call.

    Raises:
        ValueError: a profile broke off.

    """
    profiles = scene.profiles(notes, "exact", "fast")
    output = scene.folder.absolute() / f"{notes.name}.bench.json"
    output.unlink(missing_ok=True)  # of another time
    with TemporaryDirectory() as photos:
        for photo in sorted(PHOTOS.glob("*.jpg"))[: scene.either(*_PHOTOS)]:
            copy(photo, photos)
        # What it does not say is as it is for whoever calls the bench.
        options = {
            "--size": scene.size, "--profiles": ",".join(profiles), "--resolutions": ",".join(resolutions),
            "--batch": ",".join(map(str, batch)), "--rounds": scene.either(rounds, 1), "--photos": photos,
            "--limit": f"{_SHARE * scene.limit:.0f}", "--output": output, "--compile-cache": scene.kernels,
        }  # fmt: skip
        arguments = [str(word) for option in options.items() for word in option]
        notes.text(_called([*arguments, *([] if scene.compiled else ["--no-compile"])]))
    found = json.loads(output.read_text())["profiles"]
    notes.headline(", ".join(headline(one) for one in found))
    if broken := [f"{one['profile']}: {one['error']}" for one in found if one["error"]]:
        raise ValueError("; ".join(broken))


def _called(arguments: list[str]) -> str:
    """Call the bench; return its report."""
    said = io.StringIO()
    sys.argv[1:] = arguments  # it tells its command line
    with redirect_stdout(said):
        try:
            main(arguments, standalone_mode=False)
        except SystemExit:  # a profile broke off, as its report says
            pass
        finally:
            sys.stderr.write(said.getvalue())  # into the log
    return said.getvalue()


def headline(one: dict[str, Any]) -> str:
    """Say what an image takes at the first shape that was measured."""
    for row in one["rows"]:
        if "short" in row:
            steps = [(long - short) / 4 for short, long in zip(row["short"], row["long"], strict=True)]
            call = statistics.median(row["short"]) + (one["computed"] - 1) * statistics.median(steps)
            return f"{one['profile']} {call / row['images']:.3g} s/image"
    return f"{one['profile']} not measured"
