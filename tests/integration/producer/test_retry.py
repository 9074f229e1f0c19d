"""`producer retry`: rows are sent again from the run folder alone, and never twice."""

import pytest

from producer.run.ledger import Ledger
from producer.run.records import State
from tests.support import dying
from tests.support.by_hand import answer, ended, in_hand, lose, read_until, requests, rows_in_queue, write_rows
from tests.support.cli import CLI, after_plan, read_jsonl, row, write_jsonl
from tests.support.waiting import wait_until


@pytest.fixture
def five(cli: CLI, redis_url: str) -> CLI:
    """Have a run of five rows: one done, two failed, two still in the queue."""
    write_rows(cli, 5)
    assert cli("submit", "in.jsonl", "--run-dir", "r", "--steps", 3).returncode == 0
    first, *failed = lose(redis_url, 3)
    answer(redis_url, first)
    for request in failed:
        answer(redis_url, request, error="The image is broken.")
    assert cli("collect", "r", "--no-wait").returncode == 4
    return cli


def states(cli: CLI) -> list[State]:
    """Return where each row stands."""
    with Ledger(cli.folder / "r", read_only=True) as ledger:
        return [record.state for record in ledger.records()]


def test_failed_rows_are_sent_again_once(five: CLI, redis_url: str) -> None:
    """Failed rows are sent with the settings that the run remembers; a second retry sends nothing."""
    later = CLI(five.folder, {**five.settings, "diffuser_num_inference_steps": 7})
    for published in (2, 0):
        done = later("retry", "r")
        assert (done.returncode, done.stdout) == (0, "r\n"), done.stderr
        assert after_plan(done.stderr) == f"{published} rows published; follow them with: producer collect r\n"
        assert rows_in_queue(redis_url) == [3, 4, 1, 2]
    assert {request.steps for request in requests(redis_url)} == {3}
    assert states(five) == [State.DONE, *[State.SENT] * 4]


def test_unanswered_rows_are_sent_instead_of_those_in_the_queue(five: CLI, redis_url: str) -> None:
    """What waits in the queue is replaced, what was lost is there again, and what failed is left alone."""
    lose(redis_url, 1)
    for _ in range(2):
        assert five("retry", "r", "--only", "unanswered").returncode == 0
        assert rows_in_queue(redis_url) == [3, 4]
    assert states(five) == [State.DONE, State.FAILED, State.FAILED, State.SENT, State.SENT]


def test_a_row_in_a_workers_hand_is_not_sent(five: CLI, redis_url: str) -> None:
    """Unanswered rows that a worker is at work on are left to it, and still count as sent."""
    with in_hand(redis_url, 1):
        assert "3 rows published" in five("retry", "r", "--only", "all").stderr
        assert rows_in_queue(redis_url) == [1, 2, 4]
        assert states(five)[3] is State.SENT


def test_an_older_form_in_a_workers_hand_does_not_count(five: CLI, redis_url: str) -> None:
    """A worker that holds a row as it was before it changed will drop it: the row's present form is sent again."""
    with in_hand(redis_url, 2):
        rows = read_jsonl(five.folder / "in.jsonl")
        write_jsonl(five.folder / "in.jsonl", [*rows[:3], row("3.png", "Make it blue."), rows[4]])
        assert five("submit", "in.jsonl", "--run-dir", "r", "--steps", 3).returncode == 0
        assert five("retry", "r", "--only", "unanswered").returncode == 0
        assert {request.row: request.prompt for request in requests(redis_url)}[3] == "Make it blue."
        assert 4 not in rows_in_queue(redis_url)


def test_rows_that_could_not_be_parsed_are_tried_again(cli: CLI, redis_url: str) -> None:
    """Of rows that were wrong in the input those are sent that are mended, and the others stay failed."""
    write_jsonl(cli.folder / "in.jsonl", [row("0.png", "Make it red."), {"images": "1.png"}, "no json"])
    assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    write_jsonl(cli.folder / "in.jsonl", [row("0.png", "Make it red."), row("1.png", "Make it red."), "no json"])
    done = cli("retry", "r")
    assert after_plan(done.stderr) == "1 row published; follow it with: producer collect r\n"
    assert rows_in_queue(redis_url) == [0, 1]
    assert states(cli) == [State.SENT, State.SENT, State.FAILED]


def test_changed_rows_are_left_to_submit(five: CLI, redis_url: str) -> None:
    """A row whose line is not what it was is not sent, and one sentence counts such rows and names the command."""
    rows = read_jsonl(five.folder / "in.jsonl")
    write_jsonl(five.folder / "in.jsonl", [rows[0], row("1.png", "Make it blue."), rows[2], "no json", rows[4]])
    done = five("retry", "r", "--only", "all")
    assert rows_in_queue(redis_url) == [2, 4]
    assert after_plan(done.stderr) == (
        "2 rows published; follow them with: producer collect r\n"
        f"2 rows of {five.folder}/in.jsonl were changed since they were sent, and left alone;"
        " the same `producer submit` again sends them.\n"
    )


@pytest.mark.parametrize(
    "place",
    ["producer.collecting.collector:Collector.until", "producer.run.ledger:Ledger.sent"],
    ids=["noted", "published"],
)
def test_a_retry_that_is_killed_is_made_good_by_the_next(five: CLI, redis_url: str, place: str) -> None:
    """Rows that a retry noted, and perhaps published, before it died are sent by the same command again."""
    dying.killed(five, "before", place, "retry", "r")
    assert five("retry", "r").returncode == 0
    assert states(five) == [State.DONE, *[State.SENT] * 4]
    assert sorted(rows_in_queue(redis_url)) == [1, 2, 3, 4]


def test_a_retry_waits_for_room(five: CLI, redis_url: str) -> None:
    """At most --max-queued rows are unanswered at a time, and what is answered meanwhile is collected."""
    narrow = CLI(five.folder, {**five.settings, "max_queued": 2})
    with ended(narrow.begin("retry", "r")) as retrying:
        read_until(retrying.stderr, "No worker is up")
        assert rows_in_queue(redis_url) == [3, 4]
        for request in lose(redis_url, 2):
            answer(redis_url, request)
        wait_until(lambda: retrying.poll() is not None, "the retry has ended")
        assert retrying.returncode == 0
    assert rows_in_queue(redis_url) == [1, 2]


def test_a_finished_run_needs_no_redis(five: CLI, redis_url: str) -> None:
    """There is nothing to send, whoever is away."""
    for request in requests(redis_url):
        answer(redis_url, request)
    assert five("collect", "r").returncode == 3
    away = CLI(five.folder, {"broker_url": "redis://127.0.0.1:1/0"})
    done = away("retry", "r", "--only", "unanswered")
    assert (done.returncode, done.stdout) == (0, "r\n"), done.stderr
    assert done.stderr == "Plan: nothing to edit; left alone: 3 finished and 2 that cannot be edited.\n"


def test_a_run_whose_own_redis_has_ended_says_what_to_do(five: CLI) -> None:
    """The folder of a `producer run` has no Redis any more: the sentence names the command that has one."""
    with Ledger(five.folder / "r") as ledger:
        ledger.put("broker", "redis+socket:///absent/redis.sock")
    refused = five("retry", "r")
    assert refused.returncode == 1
    assert refused.stderr == (
        "Error: The Redis of the run r was that of its `producer run`, and has ended with it;"
        " the same `producer run` tries failed rows again, too.\n"
    )
