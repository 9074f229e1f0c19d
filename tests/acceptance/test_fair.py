"""Several runs share the workers: each has its turn, and what is one's stays its own. By counts, not by seconds."""

from itertools import accumulate
from pathlib import Path

from redis import Redis

from producer.run.ledger import Ledger
from tests.conftest import Fleet, Start
from tests.support.by_hand import LANE
from tests.support.cli import CLI, row, write_jsonl
from tests.support.pictures import photo
from tests.support.waiting import wait_until
from tests.support.workers import WorkerProcess
from worker.celery import connect
from worker.contract.lanes import run_queue
from worker.contract.outcomes import OutcomeStream, open_redis
from worker.contract.redis_keys import roster_key
from worker.contract.roster import Roster
from worker.delivery.turns import MOST
from worker.settings.fleet import load_settings

#: Rows that a worker here holds, and that fill a batch.
HELD, BATCH = 8, 4


def submit(cli: CLI, run: str, rows: int, *options: object) -> str:
    """Send a run of so many rows; return its id."""
    if not (cli.folder / "image.png").exists():
        photo("coffee", 60, 40, cli.folder / "image.png")
    write_jsonl(cli.folder / f"{run}.jsonl", [row("image.png", "Make it red.")] * rows)
    done = cli("submit", f"{run}.jsonl", "--run-dir", run, *options)
    assert done.returncode == 0, done.stderr
    with Ledger(cli.folder / run, read_only=True) as ledger:
        return ledger.run


def received(worker: WorkerProcess) -> list[str]:
    """Return the runs of the rows that a worker was given, in order."""
    lines = [line for line in worker.lines() if line.endswith("received")]
    return [line.partition("worker.edit[")[2].partition(".")[0] for line in lines]


def answered(client: Redis, run: str) -> list[float]:
    """Return when the run's rows were answered, in order."""
    return [entry.at for entry in OutcomeStream(client, run).unread()]


def waiting(client: Redis, run: str) -> int:
    """Count the rows of a run that wait."""
    rows = client.llen(run_queue(LANE, run))
    assert isinstance(rows, int)
    return rows


def consumed(redis_url: str) -> set[str]:
    """Name the queues that workers take rows from, as they say."""
    workers = connect(load_settings(broker_url=redis_url, diffuser_model_name="demo")).control.inspect()
    return {queue["name"] for queues in (workers.active_queues() or {}).values() for queue in queues}


def test_a_small_run_does_not_wait_for_a_huge_one(cli: CLI, start_plain: Start, redis_url: str, gate: Path) -> None:
    """Five rows behind three hundred: a few batches are answered before them, beside what the worker held already."""
    client = open_redis(redis_url)
    huge = submit(cli, "huge", 300)
    start_plain(rows_in_flight=HELD, passthrough_gate=gate)
    wait_until(lambda: client.hlen("unacked") >= HELD, "the worker holds all that it can")
    small = submit(cli, "small", 5)
    wait_until(lambda: run_queue(LANE, small) in consumed(redis_url), "the worker has found the small run")
    gate.touch()
    wait_until(lambda: len(answered(client, small)) == 5, "the small run is answered")
    last = answered(client, small)[-1]
    before = sum(at <= last for at in answered(client, huge))
    # Held before; asked for before; the rest of its turn; its turn between the small run's two; held beside its last.
    assert before <= HELD + 1 + BATCH + BATCH + HELD


def test_equal_runs_advance_together(cli: CLI, start_plain: Start) -> None:
    """At no time has one been given more than a batch more than the other."""
    one, _ = submit(cli, "one", 24), submit(cli, "other", 24)
    worker = start_plain(rows_in_flight=HELD)
    wait_until(lambda: len(received(worker)) == 48, "the worker has had every row")
    ahead = list(accumulate(1 if run == one else -1 for run in received(worker)))
    assert max(map(abs, ahead)) <= BATCH


def test_a_higher_priority_has_more_turns_and_the_lower_some(cli: CLI, start_plain: Start) -> None:
    """Three steps are eight times the rows; the folder remembers the priority for whoever sends rows again."""
    low = submit(cli, "low", 40, "--priority", 3)
    submit(cli, "high", 40, "--priority", 6)
    assert cli("cancel", "high").returncode == 0
    assert cli("retry", "high", "--only", "unanswered").returncode == 0
    worker = start_plain(rows_in_flight=HELD)
    wait_until(lambda: len(received(worker)) >= 36, "the worker has had the first rows")
    assert 1 <= received(worker)[:36].count(low) <= 2 * BATCH


def test_rows_of_two_runs_ride_in_one_batch(cli: CLI, start_plain: Start) -> None:
    """What fits together shares a call of the model, whosever it is."""
    names = [f"{run}.{number}" for run in (submit(cli, "one", 2), submit(cli, "other", 2)) for number in (0, 1)]
    worker = start_plain(batch_wait=20)
    wait_until(lambda: worker.logged("4 of 4 rows"), "a batch was full")
    wait_until(lambda: any(all(name in line for name in names) for line in worker.lines()), "all four ride together")


def test_a_worker_takes_up_a_run_when_it_comes_and_drops_it_when_it_is_over(passthrough: Fleet, tmp_path: Path) -> None:
    """It was there before the run, and afterwards it asks only for what is of no run."""
    cli, url = passthrough.cli(tmp_path), str(passthrough.settings["broker_url"])
    queue = run_queue(LANE, submit(cli, "r", 3))
    wait_until(lambda: queue in consumed(url), "the worker says, also to Flower, that it takes the run's rows")
    assert cli("collect", "r").returncode == 0
    assert queue not in {entry.queue for entry in Roster(open_redis(url), LANE).listed()}
    wait_until(lambda: queue not in consumed(url), "the worker has dropped it")


def test_rows_go_back_to_their_own_runs_queue(cli: CLI, start_plain: Start, redis_url: str, gate: Path) -> None:
    """Also where Redis knows the runs no more; a worker that comes later finds them all the same."""
    client = open_redis(redis_url)
    one, other = submit(cli, "one", 6), submit(cli, "other", 6)
    worker = start_plain("w0", passthrough_gate=gate)
    wait_until(lambda: client.hlen("unacked") == 12 and worker.logged("4 of 4 rows"), "the worker holds every row")
    client.delete(roster_key(LANE))
    worker.process.terminate()
    wait_until(lambda: waiting(client, one) + waiting(client, other) == 8, "the rows are back that are on no GPU")
    gate.touch()
    assert worker.process.wait(60) == 0
    done = [len(answered(client, run)) for run in (one, other)]
    assert [waiting(client, one), waiting(client, other)] == [6 - rows for rows in done]
    assert {entry.queue for entry in Roster(client, LANE).listed()} == {run_queue(LANE, one), run_queue(LANE, other)}
    start_plain("w1")
    for run in ("one", "other"):
        assert cli("collect", run).returncode == 0
    assert client.keys(f"{LANE}*") == []
    assert client.exists(roster_key(LANE)) == 0


def test_whoever_collects_lists_a_run_that_redis_has_lost(cli: CLI, start_plain: Start, redis_url: str) -> None:
    """A Redis that came back without its last second has the rows, and nobody would look for them."""
    client = open_redis(redis_url)
    submit(cli, "r", 6)
    client.delete(roster_key(LANE))
    start_plain()
    collected = cli("collect", "r")
    assert (collected.returncode, "lost" in collected.stderr) == (0, False), collected.stderr


def test_a_run_among_as_many_as_are_asked_at_a_time_has_turn_after_turn(cli: CLI, start_plain: Start) -> None:
    """Where the queues of runs and lanes are just too many for one question, those that have rows go first."""
    client = open_redis(str(cli.settings["broker_url"]))
    for number in range(MOST - 1):  # of others, that go on and have nothing in their queues
        Roster(client, LANE).announce(f"{number:016x}", 5)
    run = submit(cli, "run", 5 * BATCH)
    start_plain(batch_size=BATCH, rows_in_flight=HELD)
    wait_until(lambda: len(answered(client, run)) == 5 * BATCH, "every row is answered")
