"""Rows that Redis has lost are sent again, and no others, on a real Redis and with time that passes when told to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.collecting.reconcile import Looks, Reconciler
from producer.run import opening
from producer.run.ledger import Ledger
from producer.run.open_run import Run
from producer.run.records import State
from tests.support.by_hand import answer, in_hand, lose, queues_of, requests, rows_in_queue, write_rows
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from worker.contract.errors import RunError
from worker.contract.outcomes import open_redis
from worker.settings.fleet import load_settings


@pytest.fixture
def five(cli: CLI) -> CLI:
    """Have five rows submitted, and whatever is said afterwards kept."""
    write_rows(cli, 5)
    assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    return cli


class Watch:
    """Whoever looks for lost rows of a run, seven seconds after the other."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._now = 0.0
        self._lost = Reconciler(run, Looks(lambda: self._now, apart=6))

    def look(self, times: int = 1, *, answers: bool = False) -> None:
        """Look after steps of a collection."""
        for _ in range(times):
            self._lost.after_step(answers=answers, known=True)
            self._now += 7


@pytest.fixture
def said() -> list[str]:
    """Keep what is said."""
    return []


@pytest.fixture
def watch(five: CLI, said: list[str], redis_url: str) -> Iterator[Watch]:
    """Watch over the run of the five rows."""
    with opening.reopen(five.folder / "r", "collect", broker_url=redis_url, say=said.append) as run:
        yield Watch(run)


def states(folder: Path) -> dict[int, tuple[State, int]]:
    """Return each row's state and how often it was sent."""
    with Ledger(folder, read_only=True) as ledger:
        return {record.row: (record.state, record.attempts) for record in ledger.records()}


def test_exactly_the_unanswered_rows_are_sent_again(watch: Watch, said: list[str], redis_url: str) -> None:
    """Of rows that left the queue the answered ones are not sent again; the others are, and still count as sent."""
    lost = lose(redis_url, 5)
    answer(redis_url, lost[1])
    answer(redis_url, lost[4], error="Broken.")
    entries = watch.run.stream.read(want=2, patience=5)
    watch.run.ledger.apply(entry.outcome for entry in entries if entry.outcome is not None)
    watch.run.stream.committed(entries, "{}")
    watch.look(times=1)
    assert requests(redis_url) == []
    watch.look(times=1)
    assert requests(redis_url) == [lost[0], lost[2], lost[3]]
    assert said == ["3 rows were lost by Redis and are sent again."]
    sent, done, failed = (State.SENT, 2), (State.DONE, 1), (State.FAILED, 1)
    assert states(watch.run.folder) == {0: sent, 1: done, 2: sent, 3: sent, 4: failed}
    watch.look(times=10)
    assert rows_in_queue(redis_url) == [0, 2, 3]


@pytest.mark.parametrize("held", [0, 2])
def test_rows_are_found_lost_while_another_run_goes_on(watch: Watch, redis_url: str, cli: CLI, held: int) -> None:
    """What waits of another run of the same model, or is in workers' hands, says nothing about this one's rows."""
    lost = lose(redis_url, 5)
    assert cli("submit", "in.jsonl", "--run-dir", "other").returncode == 0
    with in_hand(redis_url, held):
        watch.look(times=2)
        assert [request for request in requests(redis_url) if request.run == lost[0].run] == lost
    assert sorted(request.row for request in requests(redis_url) if request.run != lost[0].run) == [0, 1, 2, 3, 4]


def test_rows_that_wait_for_the_first_worker_are_not_lost(watch: Watch, redis_url: str) -> None:
    """Rows that nobody has taken yet are not sent again, however long they wait."""
    watch.look(times=100)
    assert rows_in_queue(redis_url) == [0, 1, 2, 3, 4]


def test_rows_in_a_workers_hand_are_not_lost(watch: Watch, redis_url: str) -> None:
    """While a worker holds a message of the run, nothing is sent again, however long it works."""
    lose(redis_url, 4)
    with in_hand(redis_url, 1):
        watch.look(times=100)
        assert requests(redis_url) == []


def test_another_models_rows_in_hand_do_not_count(watch: Watch, redis_url: str, cli: CLI) -> None:
    """Workers of another model share the Redis, and what they hold says nothing about this model's rows."""
    write_rows(cli, 2, "other.jsonl")
    assert cli("submit", "other.jsonl", "--run-dir", "other", "--model", "FLUX-Kontext").returncode == 0
    lose(redis_url, 5)
    (other,) = queues_of(open_redis(redis_url), load_settings(diffuser_model_name="FLUX-Kontext").queue)
    with in_hand(redis_url, 2, queue=other):
        watch.look(times=2)
        assert rows_in_queue(redis_url) == [0, 1, 2, 3, 4]


def test_an_answer_that_nobody_has_read_yet_is_no_loss(watch: Watch, redis_url: str) -> None:
    """While the run's stream holds anything, nothing is sent again."""
    answer(redis_url, lose(redis_url, 5)[0])
    watch.look(times=100)
    assert requests(redis_url) == []


def test_an_answer_between_two_looks_is_no_loss(watch: Watch, redis_url: str) -> None:
    """Where answers come, somebody is at work."""
    lose(redis_url, 5)
    for _ in range(100):
        watch.look()
        watch.look(answers=True)
    assert requests(redis_url) == []


def test_a_changed_row_is_not_sent_as_it_was(watch: Watch, said: list[str], redis_url: str, cli: CLI) -> None:
    """Rows whose lines have changed, or are no more, are left to `producer submit`; the others are sent again."""
    lose(redis_url, 5)
    rows = read_jsonl(cli.folder / "in.jsonl")
    write_jsonl(cli.folder / "in.jsonl", [row("0.png", "Make it blue."), rows[1], "no json", rows[3]])
    watch.look(times=2)
    assert rows_in_queue(redis_url) == [1, 3]
    assert said == ["2 rows were lost by Redis and are sent again."]


def test_nothing_is_waited_for_that_cannot_come(watch: Watch, redis_url: str, cli: CLI) -> None:
    """Where no lost row can be sent as it was, one sentence says what to do."""
    lose(redis_url, 5)
    write_jsonl(cli.folder / "in.jsonl", [row(f"{number}.png", "Make it blue.") for number in range(5)])
    with pytest.raises(RunError, match=r"^5 rows of .*in.jsonl were added or changed since they were sent; "):
        watch.look(times=2)


def test_a_loss_in_the_middle_of_sending_again_is_found_again(watch: Watch, redis_url: str) -> None:
    """Rows go on counting as sent while they are sent again, so that whatever happens the next looks find them."""
    for _ in range(3):
        lose(redis_url, 5)
        watch.look(times=2)
        assert rows_in_queue(redis_url) == [0, 1, 2, 3, 4]
