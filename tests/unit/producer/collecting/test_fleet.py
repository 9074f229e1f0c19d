"""Where no worker takes a run's rows, it is said which others are up."""

from typing import Any

from producer.collecting.fleet import no_worker
from worker.contract.messages import queue_name
from worker.contract.version import own_version
from worker.settings.fleet import Settings

DEMO = Settings(diffuser_model_name="demo")
OURS = {"queue": queue_name("demo"), "model": "demo", "version": own_version()}


def told(**answers: Any) -> str:
    """Return what is said of these workers."""
    return no_worker(answers, DEMO) or ""


def test_a_worker_that_takes_the_rows_is_nothing_to_say() -> None:
    """Whoever else is up."""
    assert not told(a=OURS, b={"queue": "other", "model": "flux"})


def test_without_any_worker_it_is_said_how_to_start_one() -> None:
    """With the model's name, which is what is forgotten most."""
    assert told() == (
        "No worker is up for demo; the run waits for one (celery -A worker worker, with"
        " FLEET_DIFFUSER_MODEL_NAME=demo and the same FLEET_BROKER_URL)."
    )


def test_workers_of_another_model_are_named() -> None:
    """So that a wrong variable is found at a glance."""
    assert told(b={"queue": "other", "model": "flux"}).endswith(" Up are: b for flux.")


def test_workers_of_another_version_are_named() -> None:
    """Its queue has another contract in its name."""
    other = {**OURS, "queue": "fleet.v2.demo.x", "version": "0.0.9"}
    assert told(b=other).endswith(f" Up are: b of version 0.0.9, where this is {own_version()}, with another contract.")


def test_workers_that_are_drained_are_named() -> None:
    """They are up, and take no rows, and nothing is wrong with their version."""
    assert told(b={**OURS, "queues": [], "draining": True}).endswith(" Up are: b, which is being drained.")


def test_workers_with_another_profile_are_named_where_one_is_demanded() -> None:
    """They have a queue in common with the run's model, and not the one of its demand."""
    queue = queue_name("demo")
    exact = {**OURS, "profile": "exact", "queues": [queue, f"{queue}.exact"]}
    fast = {**OURS, "profile": "fast", "queues": [queue, f"{queue}.fast"]}
    demanding = DEMO.model_copy(update={"demand_profile": "exact"})
    assert no_worker({"a": exact, "b": fast}, demanding) is None
    told = no_worker({"b": fast}, demanding) or ""
    assert told.startswith("No worker is up for demo with profile exact;")
    assert ", with FLEET_DIFFUSER_MODEL_NAME=demo, FLEET_PROFILE=exact and" in told
    assert told.endswith(" Up are: b with profile fast.")


def test_of_many_the_first_are_named() -> None:
    """A sentence, not a list."""
    assert told(**{f"w{n}": {"model": "flux"} for n in range(6)}).endswith("; w3 for flux; and 2 more.")


def test_workers_of_another_task_are_named() -> None:
    """They have loaded the very model, and take no row of this run; it is said what to start."""
    made = Settings(diffuser_model_name="tiny-klein", image_gen_task="text2image")
    edits = {"queue": queue_name("tiny-klein"), "model": "tiny-klein", "task": "imageedit"}
    said = no_worker({"b": edits}, made) or ""
    assert said == (
        "No worker is up for tiny-klein and text2image; the run waits for one (celery -A worker worker, with"
        " FLEET_DIFFUSER_MODEL_NAME=tiny-klein, FLEET_IMAGE_GEN_TASK=text2image and the same FLEET_BROKER_URL)."
        " Up are: b for imageedit."
    )
    assert no_worker({"b": {**edits, "queue": made.lane, "task": "text2image"}}, made) is None
