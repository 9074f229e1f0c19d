"""A worker that has nothing to do gets rows that others hold and have not begun. By counts, not by seconds."""

import json
import signal
from collections import Counter
from pathlib import Path
from socket import gethostname

from redis import Redis

from producer.run.ledger import Ledger
from tests.conftest import Start
from tests.support.by_hand import LANE
from tests.support.cli import CLI, row, write_jsonl
from tests.support.pictures import photo
from tests.support.waiting import wait_until
from tests.support.workers import WorkerProcess
from worker.contract.lanes import run_queue
from worker.contract.outcomes import OutcomeStream, open_redis
from worker.contract.redis_keys import roster_key, run_key
from worker.contract.roster import Roster

BATCH = 4


def submit(cli: CLI, rows: int) -> str:
    """Send a run of so many rows; return its id."""
    photo("coffee", 60, 40, cli.folder / "image.png")
    write_jsonl(cli.folder / "r.jsonl", [row("image.png", "Make it red.")] * rows)
    done = cli("submit", "r.jsonl", "--run-dir", "r")
    assert done.returncode == 0, done.stderr
    with Ledger(cli.folder / "r", read_only=True) as ledger:
        return ledger.run


def waiting(client: Redis, run: str) -> list[dict[str, object]]:
    """Return the messages of the run's queue, the next one first."""
    entries = client.lrange(run_queue(LANE, run), 0, -1)
    assert isinstance(entries, list)
    return [json.loads(entry) for entry in reversed(entries)]


def in_hand(client: Redis) -> int:
    """Count the rows that workers hold."""
    held = client.hlen("unacked")
    assert isinstance(held, int)
    return held


def begun(worker: WorkerProcess) -> list[int]:
    """Return how many rows each batch had that a worker began."""
    return [int(line.split(": ")[2].split(" of ")[0]) for line in worker.lines() if " rows at " in line]


def answers(client: Redis, run: str) -> Counter[tuple[int, str]]:
    """Count the answers by row and status."""
    outcomes = [entry.outcome for entry in OutcomeStream(client, run).unread() if entry.outcome]
    return Counter((outcome.row, outcome.status) for outcome in outcomes)


def test_rows_that_have_not_begun_go_to_a_worker_that_has_nothing_to_do(
    cli: CLI, start_plain: Start, redis_url: str, gate: Path
) -> None:
    """One worker has everything; a second comes: it has a full batch at once, and the rest waits for who is first."""
    client, run = open_redis(redis_url), submit(cli, 12)
    one = start_plain("w0", passthrough_gate=gate, rows_in_flight=12)
    wait_until(lambda: in_hand(client) == 12 and begun(one), "the first has every row")
    other = start_plain("w1", passthrough_gate=gate)
    wait_until(lambda: begun(other) == [BATCH], "the second has a full batch")
    wait_until(lambda: (in_hand(client), len(waiting(client, run))) == (2 * BATCH, BATCH), "the rest waits")
    gate.touch()
    wait_until(lambda: answers(client, run) == {(number, "done"): 1 for number in range(12)}, "all are answered once")
    assert sum(begun(one)) + sum(begun(other)) == 12
    wait_until(lambda: in_hand(client) == 0, "all are acknowledged")


def test_a_row_that_is_passed_on_goes_as_it_came(cli: CLI, start_plain: Start, redis_url: str, gate: Path) -> None:
    """It is under no suspicion, so that it rides in a batch again; it is nobody's, and its run is listed."""
    client, run = open_redis(redis_url), submit(cli, 12)
    before = {str(message["headers"]["id"]): message for message in waiting(client, run)}  # type: ignore[index]
    one = start_plain("w0", passthrough_gate=gate, rows_in_flight=12)
    wait_until(lambda: in_hand(client) == 12 and begun(one), "the first has every row")
    client.delete(roster_key(LANE))
    other = start_plain("w1", passthrough_gate=gate)
    wait_until(lambda: begun(other) and waiting(client, run), "some wait again, and others are elsewhere")
    for message in waiting(client, run):
        assert message == before[str(message["headers"]["id"])]  # type: ignore[index]
    wait_until(lambda: client.hlen(run_key(run, "holders")) == in_hand(client) < 12, "what waits is nobody's")
    assert [entry.queue for entry in Roster(client, LANE).listed()] == [run_queue(LANE, run)]


def test_a_worker_that_is_killed_after_it_was_asked_loses_nothing(
    cli: CLI, start_plain: Start, redis_url: str, gate: Path
) -> None:
    """Each of its rows is in its hands or in the queue, and never in both."""
    client, run = open_redis(redis_url), submit(cli, 12)
    # No more than it has: what it has asked for may be lost with it, until somebody collects.
    one = start_plain("w0", passthrough_gate=gate, visibility_timeout=4, rows_in_flight=12)
    wait_until(lambda: in_hand(client) == 12 and begun(one), "the first has every row")
    start_plain("w1", passthrough_gate=gate, visibility_timeout=4)
    wait_until(lambda: in_hand(client) < 12, "it gives rows back")
    one.process.send_signal(signal.SIGKILL)
    wait_until(lambda: in_hand(client) + len(waiting(client, run)) == 12, "the second has noted what it took")
    gate.touch()
    collected = cli("collect", "r")
    assert (collected.returncode, "lost" in collected.stderr) == (0, False), collected.stderr


def test_what_a_worker_alone_holds_stays_with_it(cli: CLI, start_plain: Start, redis_url: str, gate: Path) -> None:
    """Nobody asks for it, and it asks nobody."""
    client, run = open_redis(redis_url), submit(cli, 12)
    one = start_plain("w0", passthrough_gate=gate)
    wait_until(lambda: in_hand(client) == 12 and begun(one), "it has every row")
    gate.touch()
    wait_until(lambda: sum(answers(client, run).values()) == 12, "every row is answered")
    assert not one.logged("reject")
    assert sum(begun(one)) == 12


def test_a_worker_that_drains_gives_what_it_has_not_begun(
    cli: CLI, start_plain: Start, redis_url: str, gate: Path
) -> None:
    """To one that asks; it takes nothing itself, and ends with the batch on its GPU."""
    client, run = open_redis(redis_url), submit(cli, 12)
    one = start_plain("w0", passthrough_gate=gate, rows_in_flight=12)
    wait_until(lambda: in_hand(client) == 12 and begun(one), "the first has every row")
    assert cli("drain", f"w0@{gethostname()}", "--no-wait").returncode == 0
    other = start_plain("w1", passthrough_gate=gate)
    wait_until(lambda: begun(other) == [BATCH], "the second has a full batch")
    gate.touch()
    wait_until(lambda: answers(client, run) == {(number, "done"): 1 for number in range(12)}, "all are answered once")
    assert one.process.wait(60) == 0
    assert (sum(begun(one)), sum(begun(other))) == (BATCH, 2 * BATCH)
