"""One part, in this process, as `python -m tests.gpu` begins it: `python -m tests.gpu.part ORDER`, in JSON."""

import json
import sys
import traceback
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from tests.gpu.catalog import Part
from tests.gpu.notes import DONE, FAILED, REFUSED, Notes, Refused
from worker.contract.errors import one_line


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be measured, and how."""

    part: Part
    #: Of the results.
    folder: Path
    #: At the tiny size on a GPU, too.
    tiny: bool
    compiled: bool
    #: Whether there is a GPU, by nvidia-smi.
    gpu: bool
    #: Seconds after which it is ended from outside.
    limit: float

    def __str__(self) -> str:
        """Write it down for a command line."""
        return json.dumps(asdict(self) | {"folder": str(self.folder)})

    @classmethod
    def read(cls, text: str) -> "Order":
        """Read what was written down."""
        fields = json.loads(text)
        return cls(**fields | {"part": Part(**fields["part"]), "folder": Path(fields["folder"])})


def run(order: Order) -> int:
    """Measure, and note how it ended; return the exit code."""
    notes = Notes(order.folder, order.part.name)
    try:
        scenes = import_module("tests.gpu.scene")  # torch: what is wrong with it is this part's failure as well
        here = scenes.Scene.here(order.folder, tiny=order.tiny, compiled=order.compiled, limit=order.limit)
        scenes.require_seen(here, gpu=order.gpu)
        scene = scenes.prepare(order.part, here)
        if scene.compiled != order.compiled:
            notes.fact("not compiled", f"it needs {scene.machine.lacks_compiler}")
        import_module(order.part.entry).measure(scene, notes)
    except Refused as refused:
        notes.end(REFUSED, str(refused))
        return 0
    except ModuleNotFoundError as error:
        traceback.print_exc()
        notes.end(REFUSED, f"needs {error.name}, which is not installed")
        return 0
    except Exception as error:  # whatever a new card, driver or version of torch comes to
        traceback.print_exc()
        said = (str(error).strip() or "no more is said of it").splitlines()[0]
        notes.end(FAILED, one_line(f"{type(error).__name__}: {said}"))
        return 1
    notes.end(DONE)
    return 0


if __name__ == "__main__":
    sys.exit(run(Order.read(sys.argv[1])))
