"""A run that demands a profile is given to the workers that have it, and to no others."""

from pathlib import Path
from typing import Any

from tests.conftest import Fleet, Start
from tests.support.by_hand import LANE, requests, waiting
from tests.support.cli import CLI, read_jsonl
from tests.support.sending import send
from worker.contract.lanes import run_queue
from worker.contract.outcomes import open_redis


def test_only_workers_with_the_profile_get_the_rows(cli: CLI, redis_url: str, start_plain: Start) -> None:
    """The others are up and idle, and where none has it those are named; another demand takes the rows back."""
    exact, reference = start_plain("exact", profile="exact"), start_plain("plain")
    exact.wait_until_ready()
    reference.wait_until_ready()
    send(cli, ["Make it red."] * 6, "--profile", "exact", "--details")
    assert cli("collect", "r").returncode == 0
    made = [line["details"] for line in read_jsonl(cli.folder / "r/output.jsonl")]
    assert {(one["profile"], one["worker"].partition("@")[0]) for one in made} == {("exact", "exact")}

    redo = cli("submit", "in.jsonl", "--run-dir", "r", "--profile", "fast", "--redo")
    assert redo.returncode == 0, redo.stderr
    assert "6 finished ones again, because --profile was exact, is fast" in redo.stderr
    said = cli("status", "r").stdout
    assert "No worker is up for demo with profile fast;" in said
    assert said.count(" with profile exact") == said.count(" with profile reference") == 1

    client = open_redis(redis_url)
    assert (waiting(client, f"{LANE}.fast"), waiting(client)) == (6, 0)
    again = cli("submit", "in.jsonl", "--run-dir", "r", "--profile", "reference", "--redo", "--details")
    assert again.returncode == 0, again.stderr
    assert waiting(client, f"{LANE}.fast") == 0  # what was sent with another demand is taken back
    assert cli("collect", "r").returncode == 0
    made = [line["details"] for line in read_jsonl(cli.folder / "r/output.jsonl")]
    assert {one["worker"].partition("@")[0] for one in made} == {"plain"}


def test_a_row_that_is_slipped_to_another_worker_fails(passthrough: Fleet, tmp_path: Path) -> None:
    """Nobody edits it otherwise than it demands."""
    cli, redis_url = passthrough.cli(tmp_path), str(passthrough.settings["broker_url"])
    send(cli, ["Make it red."], "--profile", "exact")
    (request,) = requests(redis_url, f"{LANE}.exact")
    client = open_redis(redis_url)
    message: Any = client.rpop(run_queue(f"{LANE}.exact", request.run))
    client.lpush(LANE, message)
    assert cli("collect", "r").returncode == 3
    (line,) = read_jsonl(cli.folder / "r/output.jsonl")
    assert line["error"] == "line 1: its run demands profile exact, and this worker has reference."
