"""The whole examination: everything that matters for what a machine is for, looked at side by side."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from producer.doctor.broker import look_at_broker
from producer.doctor.finding import Finding, Role, Verdict, broken, well
from producer.doctor.machine import look_at_gpus, look_at_torch
from producer.doctor.packages import installed, look_at_packages
from producer.doctor.space import look_at_space
from producer.doctor.weights import look_at_weights
from producer.doctor.workers import look_at_workers
from producer.local.redis import redis_server
from producer.run.failures import broker_errors, ledger_errors
from producer.run.folders import USUAL
from producer.run.ledger import LEDGER, Ledger
from producer.run.manifest import remembered
from worker.contract.errors import FleetError, RunError, one_line
from worker.settings.fleet import Settings


def usual_role() -> Role:
    """Return what a machine is for by what is installed there."""
    return Role.SUBMIT if installed("torch") is None else Role.WORKER


def examine(settings: Settings, role: Role, folder: Path | None) -> list[Finding]:
    """Look at everything; `folder` is a run's, which says of which model, and need not be there yet.

    Takes as long as the slowest look: torch's import, some seconds.
    """
    if folder is not None and (folder / LEDGER).is_file():
        settings = _of_run(folder, settings)
    looks: dict[str, Callable[[], Iterator[Finding]]] = {
        "packages": partial(look_at_packages, role),
        "broker": partial(_broker_and_workers, settings, role),
        "space": partial(
            look_at_space,
            folder or settings.run_dir or USUAL[settings.image_gen_task],
            settings,
            named=folder is not None,
        ),
    }
    if role.edits:
        editing = {"GPU": look_at_gpus, "torch": look_at_torch, "weights": look_at_weights}
        looks |= {about: partial(look, settings) for about, look in editing.items()}
    with ThreadPoolExecutor(len(looks)) as threads:
        return [finding for findings in threads.map(_all, looks, looks.values()) for finding in findings]


def _of_run(folder: Path, settings: Settings) -> Settings:
    """Return a run's own settings, but for the broker, which may be one that has ended with its `producer run`."""
    with suppress(FleetError), ledger_errors(folder), Ledger(folder, read_only=True) as ledger:
        _, theirs = remembered(folder, ledger)
        return theirs.model_copy(update={"broker_url": settings.broker_url})
    return settings  # what is wrong with it is said of its space


def _all(about: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    findings = []
    try:
        for finding in look():
            findings.append(finding)  # noqa: PERF402 - those of before an error count
    except Exception as error:  # whatever a strange machine comes to: what was seen of the rest is worth telling
        reason = one_line(f"{type(error).__name__}: {error}").rstrip(".")
        findings.append(broken(about, f"it could not be looked at to the end ({reason})"))
    return findings


def _broker_and_workers(settings: Settings, role: Role) -> Iterator[Finding]:
    if role is Role.RUN and settings.broker_url is None:
        yield _own_server()
        return
    is_there = False
    for finding in look_at_broker(settings):
        is_there = is_there or finding.verdict is not Verdict.BROKEN
        yield finding
    if not is_there:
        return
    try:
        with broker_errors(settings, looking=True):
            yield from look_at_workers(settings, role)
    except FleetError as error:
        yield broken("workers", str(error).rstrip("."))


def _own_server() -> Finding:
    try:
        return well("broker", f"`producer run` starts its own ({redis_server()})")
    except RunError as error:
        return broken("broker", str(error).rstrip("."))
