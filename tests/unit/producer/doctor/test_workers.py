"""What the doctor makes of the workers that answer."""

from typing import Any

import pytest

from producer.doctor.finding import Finding, Role, Verdict
from producer.doctor.workers import workers_found
from worker.contract.messages import queue_name
from worker.contract.version import own_version
from worker.settings.fleet import Settings

DEMO = Settings(diffuser_model_name="demo")
OURS = {"queue": queue_name("demo"), "model": "demo", "profile": "reference", "version": own_version()}
FLUX = {**OURS, "queue": queue_name("flux"), "model": "flux"}


def found(role: Role = Role.SUBMIT, **answers: Any) -> list[Finding]:
    """Judge answers, by the workers' names."""
    return list(workers_found(answers, DEMO, role))


def test_workers_that_are_alike_share_a_line() -> None:
    """They are named, the first of many, with version and profile."""
    (line,) = found(**{f"w{number}": OURS for number in range(6)})
    assert line.verdict is Verdict.OK
    assert line.found == (
        f"6 workers (w0, w1, w2, w3, … and 2 more) up for demo: version {own_version()}, profile reference"
    )


@pytest.mark.parametrize(("role", "verdict"), [(Role.SUBMIT, Verdict.NOTE), (Role.WORKER, Verdict.OK)])
def test_no_worker_is_worth_a_note_to_who_submits(role: Role, verdict: Verdict) -> None:
    """Whoever is about to start the first one need not be told how."""
    (line,) = found(role)
    assert (line.verdict, line.found.startswith("no worker is up for demo")) == (verdict, True)


def test_a_worker_of_another_model_is_named_with_what_to_set() -> None:
    """It is up, and would never take a row."""
    none, other = found(w0=FLUX)
    assert none.found == "no worker is up for demo"
    assert "1 worker (w0) of flux" in other.found
    assert other.remedy is not None
    assert "FLEET_DIFFUSER_MODEL_NAME" in other.remedy


@pytest.mark.parametrize("what", ["profile", "version"])
def test_workers_that_differ_are_told_apart(what: str) -> None:
    """Pictures of one run may differ by who made them."""
    lines = found(w0=OURS, w1={**OURS, what: "another"})
    assert [line.verdict for line in lines] == [Verdict.NOTE] * 2
    assert any(f"{what} another" in line.found for line in lines)


def test_a_fleet_of_another_version_is_told() -> None:
    """All alike, but not like this machine."""
    (line,) = found(w0={**OURS, "version": "9.9"})
    assert line.verdict is Verdict.NOTE
    assert f"version 9.9, profile reference, where this machine has {own_version()}" in line.found


def test_a_worker_that_does_not_tell_its_version_is_no_trouble() -> None:
    """One of an earlier version does not."""
    (line,) = found(w0={key: value for key, value in OURS.items() if key != "version"})
    assert line.verdict is Verdict.OK
    assert "version unknown" in line.found
