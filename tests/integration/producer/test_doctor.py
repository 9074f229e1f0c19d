"""`producer doctor` against real Redis servers and a real worker."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from producer.doctor.broker import look_at_broker
from producer.doctor.finding import Finding, Verdict
from producer.doctor.machine import look_at_torch
from tests.conftest import Start
from tests.support.cli import CLI
from tests.support.secure import FLEET_RIGHTS
from tests.support.servers import RedisServer, running_redis
from tests.support.waiting import wait_until
from worker.settings.fleet import Settings

OK, NOTE, BROKEN = Verdict


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """Run a Redis as a fleet's, also on a port."""
    with running_redis(replicated=True) as server:
        yield server


def found(url: str, *, ahead: float = 0.0) -> dict[str, Finding]:
    """Look at a broker, by a clock that is ahead of Redis' by so many seconds."""
    settings = Settings(diffuser_model_name="demo", broker_url=url)
    return {finding.about: finding for finding in look_at_broker(settings, lambda: time.time() + ahead)}


def verdicts(findings: dict[str, Finding]) -> dict[str, Verdict]:
    """Return the verdicts alone."""
    return {about: finding.verdict for about, finding in findings.items()}


def test_a_redis_as_the_readme_starts_it_is_fit(server: RedisServer) -> None:
    """Named with its version; nothing is left in it."""
    findings = found(server.url)
    assert verdicts(findings) == {"broker": OK, "eviction": OK, "persistence": OK, "clock": OK}
    with server.operator() as client:
        told = client.info("server")
        assert f" {told.get('valkey_version') or told['redis_version']} at redis+socket://" in findings["broker"].found
        wait_until(lambda: client.dbsize() == 0, "the trial's key is gone")


@pytest.mark.parametrize(
    ("setting", "about", "verdict"),
    [
        ({"maxmemory-policy": "allkeys-lru", "maxmemory": "1gb"}, "eviction", BROKEN),
        ({"maxmemory-policy": "allkeys-lru"}, "eviction", NOTE),
        ({"appendonly": "no"}, "persistence", NOTE),
    ],
)
def test_settings_that_would_cost_rows_are_told(
    server: RedisServer, setting: dict[str, str], about: str, verdict: Verdict
) -> None:
    """Each with what to change."""
    with server.operator() as client:
        for name, value in setting.items():
            client.config_set(name, value)
    finding = found(server.url)[about]
    assert finding.verdict is verdict
    assert finding.remedy


def test_what_an_earlier_version_left_is_told(server: RedisServer) -> None:
    """With the queues' names and what to do; `producer` of this version and its workers would never look there."""
    with server.operator() as client:
        client.lpush("fleet.v3.demo.2a97516c", *range(3))
        client.lpush("fleet.v3.demo.2a97516c.exact", 1)
    finding = found(server.url)["queues"]
    assert finding.verdict is NOTE
    assert finding.found == (
        "4 rows wait in fleet.v3.demo.2a97516c and fleet.v3.demo.2a97516c.exact, where an earlier version sent them and"
        " no worker of this one looks"
    )


def test_a_redis_that_is_nearly_full_is_told(server: RedisServer) -> None:
    """Before it refuses rows."""
    with server.operator() as client:
        client.config_set("maxmemory", round(client.info("memory")["used_memory"] * 1.07))
    finding = found(server.url)["eviction"]
    assert finding.verdict is NOTE
    assert "nearly full" in finding.found


def test_a_clock_that_differs_is_told(server: RedisServer) -> None:
    """In which direction, and what goes by it."""
    assert "Redis' is 60 s behind this machine's" in found(server.url, ahead=60)["clock"].found
    assert "Redis' is 60 s ahead of this machine's" in found(server.url, ahead=-60)["clock"].found


def test_the_fleets_own_user_is_enough(server: RedisServer) -> None:
    """It may not ask for the server's settings, and the doctor says who may."""
    with server.operator() as client:
        client.execute_command(f"ACL SETUSER fleet on >secret {FLEET_RIGHTS}")  # type: ignore[no-untyped-call]
    findings = found(f"redis://fleet:secret@127.0.0.1:{server.replication_port}/0")
    assert verdicts(findings) == {"broker": OK, "eviction": NOTE, "clock": OK}
    assert "secret" not in "".join(finding.as_text() for finding in findings.values())


def test_a_redis_that_refuses_is_broken(server: RedisServer) -> None:
    """It is not waited for, as a run would."""
    server.break_snapshots()
    assert verdicts(found(server.url)) == {"broker": BROKEN}


def test_without_redis_one_sentence_says_so(tmp_path: Path) -> None:
    """Exit code 1, soon, no traceback, and the rest is looked at all the same."""
    cli = CLI(tmp_path, {"broker_url": "redis://127.0.0.1:1/0"})
    process = cli.begin("doctor", "--for", "submit")
    stdout, stderr = process.communicate(timeout=15)
    assert process.returncode == 1
    assert stderr == "Error: 1 thing is broken on a machine that is looked at --for submit.\n"
    (line,) = (line for line in stdout.splitlines() if line.startswith("broken"))
    assert "Redis at redis://127.0.0.1:1/0 does not answer (Connection refused); start it" in line
    assert any(line.startswith("ok      space ") for line in stdout.splitlines())


def test_a_worker_that_is_up_is_found_with_its_version(cli: CLI, start_plain: Start) -> None:
    """And the whole is told for scripts, too."""
    start_plain("w0").wait_until_ready()

    def look() -> dict[str, str]:
        done = cli("doctor", "--for", "submit", "--json")
        assert (done.returncode, done.stderr) == (0, "")
        (line,) = (finding for finding in json.loads(done.stdout)["findings"] if finding["about"] == "workers")
        return dict(line)

    line: dict[str, str] = {}

    def is_found() -> bool:
        line.clear()
        line.update(look())
        return line["verdict"] == "ok"

    # On a machine that is busy with other tests a worker may not answer in time.
    wait_until(is_found, "the worker answers")
    assert line["found"].startswith("1 worker (w0@")
    assert "up for demo: version " in line["found"]
    assert "unknown" not in line["found"]


def test_a_run_of_its_own_needs_no_redis(cli: CLI) -> None:
    """`producer run` starts one; the demo model comes along, and torch is asked in a process of its own."""
    cli = replace(cli, settings={})
    done = cli("doctor", "--for", "run")
    assert done.returncode == 0, done.stdout
    assert "ok      broker       `producer run` starts its own (" in done.stdout
    assert "ok      profile      reference can be done here." in done.stdout


def test_torch_is_asked_for_this_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process that sees the settings; what a worker would refuse is broken, in its own words."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("CXX", "no-such-compiler")
    (torch, profile) = look_at_torch(Settings(diffuser_model_name="demo", profile="exact"))
    assert (torch.verdict, profile.verdict) == (OK, BROKEN)
    assert "FLEET_PROFILE=exact needs a compiler (no-such-compiler; " in profile.found
