"""What may be asked of a running worker over Redis, beside what Celery itself answers."""

from typing import Any

from celery.worker import WorkController
from celery.worker.control import control_command, inspect_command
from celery.worker.state import reserved_requests

from worker.contract.messages import TASK_NAME
from worker.contract.version import own_version
from worker.delivery.options import REFUSED
from worker.settings.fleet import load_settings


@inspect_command()
def fleet(state: WorkController) -> dict[str, Any]:
    """Say which model this worker has loaded and how busy it is; `producer status` asks every worker."""
    settings, task = load_settings(), state.app.tasks[TASK_NAME]
    return {
        "model": settings.model,
        "task": settings.image_gen_task,
        "queue": settings.lane,
        "queues": [*state.app.amqp.queues.consume_from],
        "batch_size": settings.batch_size,
        "version": own_version(),
        "rows": task.pace.rows,
        "rows_per_s": task.pace.per_second(),
        "rows_in_hand": len(reserved_requests),
        "draining": state.consumer.drain.has_begun,
        **task.facts(),
    }


@control_command(args=[("run", str)], signature="<run>")
def cancel_run(state: WorkController, run: str) -> None:
    """Let go of a run's rows; `producer cancel` says it to every worker."""
    state.app.tasks[TASK_NAME].drop(run)


@control_command(args=[("lane", str)], signature="<lane>")
def run_listed(state: WorkController, lane: str) -> None:
    """Look for a run; whoever submits the first rows of one says it to every worker."""
    if lane in state.app.amqp.queues.consume_from:
        state.consumer.finding.look_soon()


@control_command()
def rows_wanted(state: WorkController, lanes: list[str], asker: str) -> None:
    """Let a worker of these lanes have rows that have not begun; one that has nothing to do says it."""
    state.consumer.rebalancing.asked(lanes, asker)


@control_command()
def drain(state: WorkController) -> dict[str, int]:
    """Take no more rows, finish those in hand, and end; `producer drain` asks for it."""
    state.consumer.drain.begin()
    return {"rows_in_hand": len(reserved_requests)}


# What Flower has buttons for, and Celery commands, and no worker of this fleet can do: refused as at its start.


@control_command(args=[("n", int)], signature="[N=1]")
def pool_grow(state: WorkController, **_: Any) -> dict[str, str]:  # noqa: ARG001 - Celery's signature
    """Refuse to hold more rows."""
    return {"error": f"refused: {REFUSED['autoscale']}."}


@control_command(args=[("n", int)], signature="[N=1]")
def pool_shrink(state: WorkController, **_: Any) -> dict[str, str]:  # noqa: ARG001
    """Refuse to hold fewer rows."""
    return {"error": f"refused: {REFUSED['autoscale']}."}


@control_command(args=[("max", int), ("min", int)], signature="[max [min]]")
def autoscale(state: WorkController, **_: Any) -> dict[str, str]:  # noqa: ARG001
    """Refuse to hold now more, now fewer rows."""
    return {"error": f"refused: {REFUSED['autoscale']}."}


@control_command()
def pool_restart(state: WorkController, **_: Any) -> dict[str, str]:  # noqa: ARG001
    """Refuse to start threads again, which all share one model."""
    return {"error": "refused: threads share one model; stop the worker, and its supervisor starts it again."}


@control_command(
    args=[("task_name", str), ("soft", float), ("hard", float)], signature="<task_name> <soft_secs> [hard_secs]"
)
def time_limit(state: WorkController, **_: Any) -> dict[str, str]:  # noqa: ARG001
    """Refuse what Celery would take and ignore."""
    return {"error": f"refused: {REFUSED['time_limit']}."}
