"""What may be asked of a running worker over Redis, beside what Celery itself answers."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from celery.worker import WorkController
from celery.worker.control import control_command, inspect_command

from worker.contract.messages import TASK_NAME, queue_name
from worker.settings.fleet import load_settings


@inspect_command()
def fleet(state: WorkController) -> dict[str, Any]:
    """Say which model this worker has loaded and how busy it is; `producer status` asks every worker."""
    settings = load_settings()
    return {
        "model": settings.model,
        "queue": queue_name(settings.model),
        "batch_size": settings.batch_size,
        "version": _version(),
        **state.app.tasks[TASK_NAME].facts(),
    }


@control_command(args=[("run", str)], signature="<run>")
def cancel_run(state: WorkController, run: str) -> None:
    """Let go of a run's rows; `producer cancel` says it to every worker."""
    state.app.tasks[TASK_NAME].drop(run)


def _version() -> str:
    try:
        return version("bulk-image-editor")
    except PackageNotFoundError:  # run from a folder
        return "unknown"
