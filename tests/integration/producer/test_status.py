"""Looking on: what `producer status` and `producer runs` find in folders and in Redis."""

import json
import re
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from producer.run.ledger import Ledger
from tests.support.by_hand import LANE
from tests.support.cli import CLI
from tests.support.sending import send
from worker.contract.messages import Outcome
from worker.contract.outcomes import OutcomeStream, open_redis


@pytest.fixture
def sent(cli: CLI) -> CLI:
    """Send four rows that nobody takes."""
    send(cli, ["Make it red."] * 4, images=["a.png", "b.png", "c.png", "d.png"])
    return cli


def answer(cli: CLI, first: int, last: int, **given: Any) -> None:
    """Answer rows of the run `r`, as a worker does."""
    with Ledger(cli.folder / "r", read_only=True) as ledger:
        stream = OutcomeStream(open_redis(str(cli.settings["broker_url"])), ledger.run)
        facts: dict[str, Any] = {"status": "done", "worker": "w", "batch_id": "b", "profile": "exact", **given}
        for record in islice(ledger.records(), first, last):
            stream.append(Outcome(run=ledger.run, row=record.row, fingerprint=record.fingerprint or "", **facts))


def status(cli: CLI, *args: object) -> dict[str, Any]:
    """Look at the run `r`."""
    found = cli("status", "r", "--json", *args)
    assert found.returncode == 0, found.stderr
    seen: dict[str, Any] = json.loads(found.stdout)
    return seen


def test_a_run_is_seen_without_a_collector(sent: CLI) -> None:
    """Its queue, its rate from the answers that wait, why rows failed, and who answered when."""
    answer(sent, 0, 2)
    answer(sent, 2, 3, status="failed", error="image /x.png: no such file.")
    found = status(sent)
    assert {key: found[key] for key in ("done", "failed", "waiting", "uncollected")} == {
        "done": 2, "failed": 1, "waiting": 1, "uncollected": 3,
    }  # fmt: skip
    assert found["queue"] == {"name": f"{LANE}.{found['run']}", "rows": 4, "in_hand": 0}
    assert found["rows_per_s"] > 0
    assert found["seconds_left"] == pytest.approx(1 / found["rows_per_s"])
    assert [(cause["cause"], cause["rows"]) for cause in found["causes"]] == [("image: no such file", 1)]
    assert [*found["answered_at"]] == ["w"]
    assert (found["fleet"], found["owner"]) == ({}, None)
    assert found["folder"] == str(sent.folder / "r")


def test_what_is_collected_stays_known(sent: CLI) -> None:
    """When a worker last answered, and how it calculated, is in the folder from then on."""
    answer(sent, 0, 2)
    before = status(sent)
    assert sent("collect", "r", "--no-wait").returncode == 4
    after = status(sent)
    assert after["uncollected"] == 0
    kept = ("done", "waiting", "answered_at", "calculations", "workers")
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}


def test_rows_that_differ_are_said_by_collect_and_status(sent: CLI) -> None:
    """The first row of the run decides; it is said once."""
    answer(sent, 0, 1)
    assert "Workers calculate differently" not in sent("collect", "r", "--no-wait").stderr
    answer(sent, 1, 3, profile="fast", worker="v")
    told = "1 row with profile exact, 2 with profile fast (v)"
    assert told in sent("status", "r").stdout
    assert sent("collect", "r", "--no-wait").stderr.count(told) == 1


def test_watching_ends_with_the_run(sent: CLI) -> None:
    """Once every row is answered; each look is a line of JSON."""
    answer(sent, 0, 4)
    watched = sent("status", "r", "--watch", "--json")
    assert watched.returncode == 0
    assert [json.loads(line)["waiting"] for line in watched.stdout.splitlines()] == [0]


def test_runs_of_a_folder_are_listed(sent: CLI) -> None:
    """One that cannot be read is listed with the reason."""
    (sent.folder / "bad").mkdir()
    (sent.folder / "bad/run.sqlite").write_text("no database, and long enough to look like one")
    answer(sent, 0, 1)
    bad, good = map(json.loads, sent("runs", ".", "--json").stdout.splitlines())
    assert (good["state"], good["folder"], good["done"], good["waiting"]) == ("not collected", "r", 1, 3)
    assert (bad["folder"], bad["run"]) == ("bad", "")
    assert "cannot be used" in bad["state"]
    lines = sent("runs", ".").stdout.splitlines()
    assert [line.split()[-1] for line in lines] == ["folder", "bad", "r"]


def test_runs_of_a_redis_are_listed_with_their_folders(sent: CLI) -> None:
    """Also where the folder is another machine's."""
    answer(sent, 0, 1)
    (found,) = map(json.loads, sent("runs", "--broker", "--json").stdout.splitlines())
    assert (found["folder"], found["model"], found["uncollected"]) == (str(sent.folder / "r"), "demo", 1)
    assert sent("cancel", "r").returncode == 0
    (line,) = sent("runs", "--broker", sent.settings["broker_url"]).stdout.splitlines()[1:]
    assert line.split()[:2] == [found["run"], "cancelled"]


def test_where_there_is_no_run_a_sentence_says_so(cli: CLI) -> None:
    """Of a folder and of a Redis; a folder that is not there is an error."""
    assert cli("runs", ".").stderr == "There is no run in .; name another folder.\n"
    assert cli("runs", "--broker").stderr == "This Redis knows no run.\n"
    absent = cli("runs", "absent")
    assert (absent.returncode, absent.stderr[:32]) == (1, "Error: There is no folder absent")


def test_a_run_tells_its_priority_and_its_share(sent: CLI) -> None:
    """Beside another whose rows wait for the same workers; in the lists of runs, too."""
    alone = status(sent)
    assert (alone["priority"], alone["share"], alone["runs_waiting"]) == (5, 1.0, 1)
    assert sent("submit", "in.jsonl", "--run-dir", "s", "--priority", "7").returncode == 0
    found = status(sent)
    assert (found["priority"], found["share"], found["runs_waiting"]) == (5, 0.2, 2)  # 2 ** 5 of 2 ** 5 + 2 ** 7
    assert (
        "\npriority  5; 20 % of the rows that workers take, while 2 runs wait for them\n" in sent("status", "r").stdout
    )
    for listed in (sent("runs", ".", "--json"), sent("runs", "--broker", "--json")):
        shares = {
            Path(one["folder"]).name: (one["priority"], one["share"])
            for one in map(json.loads, listed.stdout.splitlines())
        }
        assert shares == {"r": (5, 0.2), "s": (7, 0.8)}


def test_a_list_of_runs_tells_how_long_each_takes(sent: CLI) -> None:
    """By its own pace; nothing where nobody knows, or nothing is left."""
    answer(sent, 0, 2)
    (found,) = map(json.loads, sent("runs", ".", "--json").stdout.splitlines())
    assert found["seconds_left"] == pytest.approx(2 / found["rows_per_s"])
    heads, line = sent("runs", ".").stdout.splitlines()
    assert heads.split()[-5:] == ["rows/s", "left", "priority", "share", "folder"]
    assert re.search(r" 0:00:\d\d +5 +100 % +r$", line), line


def test_answers_that_came_twice_count_once(sent: CLI) -> None:
    """The first of them, as for the collector."""
    answer(sent, 0, 2)
    answer(sent, 0, 3, status="failed", error="image /x.png: no such file.")
    found = status(sent)
    assert {key: found[key] for key in ("done", "failed", "waiting", "uncollected")} == {
        "done": 2, "failed": 1, "waiting": 1, "uncollected": 3,
    }  # fmt: skip
