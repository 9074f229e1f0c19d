"""`producer cancel`: a run stops within seconds, whatever is queued, and loses nothing that is another's."""

import json
import signal

import pytest

from producer.run.ledger import Ledger
from producer.run.queues import RunQueue
from tests.support import dying
from tests.support.by_hand import (
    LANE,
    answer,
    answer_all,
    ended,
    in_hand,
    lose,
    read_until,
    requests,
    write_rows,
)
from tests.support.cli import CLI, after_plan, read_jsonl
from worker.contract.outcomes import open_redis
from worker.contract.roster import Roster

TAKES_UP = "the same `producer submit`, or `producer retry r --only unanswered`, takes it up again"


@pytest.fixture
def five(cli: CLI) -> CLI:
    """Have an input of five rows."""
    write_rows(cli, 5)
    return cli


def test_only_the_runs_own_messages_are_removed(five: CLI, redis_url: str) -> None:
    """The queue loses the cancelled run's rows and no others, and one sentence says how many rows are unanswered."""
    for run in ("r", "other", "third"):
        assert five("submit", "in.jsonl", "--run-dir", run).returncode == 0
    before = requests(redis_url)
    with Ledger(five.folder / "other", read_only=True) as ledger:
        other = ledger.run
    for _ in range(2):
        cancelled = five("cancel", "other")
        assert (cancelled.returncode, cancelled.stdout) == (0, "")
        assert requests(redis_url) == [request for request in before if request.run != other]
    assert cancelled.stderr == (
        "The run other is cancelled: 5 rows are unanswered, and 0 messages were removed from the queue;"
        f" {TAKES_UP.replace('retry r', 'retry other')}.\n"
    )
    assert [json.loads(five("status", run, "--json").stdout)["cancelled"] for run in ("r", "other")] == [False, True]


def test_a_row_that_was_given_back_is_removed_too(five: CLI, redis_url: str) -> None:
    """A message that a worker has had in hand and gave back is the run's as well."""
    five("submit", "in.jsonl", "--run-dir", "r")
    with in_hand(redis_url, 2):
        pass
    assert len(requests(redis_url)) == 5
    assert "and 5 messages were removed" in five("cancel", "r").stderr
    assert requests(redis_url) == []


def test_a_full_redis_lets_a_run_be_cancelled(five: CLI, redis_url: str) -> None:
    """What is removed makes room; nobody looks for the run any more, and other runs are as they were."""
    for run in ("r", "other"):
        assert five("submit", "in.jsonl", "--run-dir", run).returncode == 0
    client = open_redis(redis_url)
    with Ledger(five.folder / "r", read_only=True) as mine, Ledger(five.folder / "other", read_only=True) as its:
        runs = mine.run, its.run
    client.config_set("maxmemory", 1)
    assert RunQueue(client, LANE, runs[0]).purge() == 5
    assert RunQueue(client, LANE, runs[0]).purge() == 0
    assert [(entry.queue, entry.priority) for entry in Roster(client, LANE).listed()] == [(f"{LANE}.{runs[1]}", 5)]
    assert len(RunQueue(client, LANE, runs[1])) == 5


def test_rows_of_another_demand_are_removed_too(five: CLI, redis_url: str) -> None:
    """Rows that were sent with a profile, which the run demands no more, wait in another queue."""
    assert five("submit", "in.jsonl", "--run-dir", "r", "--profile", "exact").returncode == 0
    assert len(requests(redis_url, f"{LANE}.exact")) == 5
    assert "and 5 messages were removed" in five("cancel", "r").stderr
    assert requests(redis_url, f"{LANE}.exact") == []


@pytest.mark.parametrize("command", [("collect", "r"), ("submit", "in.jsonl", "--run-dir", "r", "--max-queued", 2)])
def test_a_command_at_work_ends(five: CLI, redis_url: str, command: tuple[object, ...]) -> None:
    """Whoever waits for the run's rows ends, too, with one sentence, and leaves nothing in the queue."""
    if command[0] == "collect":
        five("submit", "in.jsonl", "--run-dir", "r")
    with ended(five.begin(*command)) as process:
        read_until(process.stderr, "No worker is up")
        assert five("cancel", "r").returncode == 0
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert stderr.startswith("Error: The run r was cancelled: ")
    assert stderr.endswith(f" rows are unanswered; {TAKES_UP}.\n")
    assert requests(redis_url) == []


def test_rows_that_are_published_after_the_purge_are_taken_back(five: CLI, redis_url: str) -> None:
    """A submission that publishes while the run is cancelled removes what it has published, and ends."""
    place = "producer.collecting.collector:Collector.until"  # there is room, and nothing is published yet
    with ended(dying.held(five, "after", place, "submit", "in.jsonl", "--run-dir", "r")) as submitting:
        assert five("cancel", "r").returncode == 0
        submitting.send_signal(signal.SIGCONT)
        _, stderr = submitting.communicate(timeout=30)
    assert submitting.returncode == 1
    assert after_plan(stderr) == f"Error: The run r was cancelled: 5 rows are unanswered; {TAKES_UP}.\n"
    assert requests(redis_url) == []


def test_a_cancelled_run_is_not_collected(five: CLI, redis_url: str) -> None:
    """Collect ends at once with the sentence; with --no-wait it writes what is there."""
    five("submit", "in.jsonl", "--run-dir", "r")
    answer(redis_url, lose(redis_url, 1)[0])
    five("cancel", "r")
    refused = five("collect", "r")
    assert refused.returncode == 1
    assert refused.stderr == f"Error: The run r was cancelled: 4 rows are unanswered; {TAKES_UP}.\n"
    assert five("collect", "r", "--no-wait").returncode == 4
    made = read_jsonl(five.folder / "r/output.jsonl")
    assert [len(fields["output_image"]) for fields in made] == [1, 0, 0, 0, 0]


def test_a_finished_run_stays_finished(five: CLI, redis_url: str) -> None:
    """Cancelling a run without an unanswered row says so and changes nothing, collected or not."""
    five("submit", "in.jsonl", "--run-dir", "r")
    answer_all(redis_url)
    for _ in range(2):
        refused = five("cancel", "r")
        assert refused.returncode == 0
        assert refused.stderr == "The run r is finished; there is nothing to cancel.\n"
        assert five("collect", "r").returncode == 0


def test_a_redis_that_does_not_answer_is_named(five: CLI) -> None:
    """Where Redis does not answer, nothing is cancelled, and one sentence says which it is."""
    five("submit", "in.jsonl", "--run-dir", "r")
    refused = five("cancel", "r", "--broker", "redis+socket:///absent/redis.sock")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: Redis at redis+socket:///absent/redis.sock does not answer (")


def test_a_run_whose_own_redis_has_ended_is_at_work_nowhere(five: CLI) -> None:
    """A `producer run` that was interrupted took its Redis with it: there is nothing left to cancel."""
    five("submit", "in.jsonl", "--run-dir", "r")
    with Ledger(five.folder / "r") as ledger:
        ledger.put("broker", "redis+socket:///absent/redis.sock")
    cancelled = five("cancel", "r")
    assert cancelled.returncode == 0
    assert cancelled.stderr == (
        "Nobody is at work on the run r: its `producer run` has ended, and its Redis with it.\n"
    )
