"""Whether all that other parts need is installed: what a worker, a command and each family of models import."""

from importlib import import_module
from typing import Final

from tests.gpu.notes import Notes
from tests.gpu.scene import Scene
from worker.contract.catalog import MODELS

_MODULES: Final = (
    "worker.celery",
    "worker.tasks",
    "worker.bootsteps",
    "tests.support.imported_by_commands",
    "tests.support.imported_by_workers",
    "tests.bench.real_fleet",
    *dict.fromkeys(
        f"worker.models.{spec.family}.random_weights" for spec in MODELS.values() if spec.source == "random"
    ),
)


def measure(scene: Scene, notes: Notes) -> None:
    """Import each, and go on to the next where one cannot be.

    Raises:
        ValueError: one cannot be.

    """
    del scene
    table = notes.table("Modules that cannot be imported:", ["module", "why"])
    broken = []
    for name in _MODULES:
        try:
            import_module(name)
        except Exception as error:  # whatever a library does in its first lines
            broken.append(name)
            table.row(name, f"{type(error).__name__}: {error}")
        notes.headline(f"{len(_MODULES)} modules, {len(broken)} of them cannot be imported")
    if broken:
        raise ValueError(f"{', '.join(broken)} cannot be imported: see the table")
