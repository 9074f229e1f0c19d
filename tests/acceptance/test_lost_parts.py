"""A Redis that has lost what a run's rows share: workers let the rows go, and whoever collects sends them again."""

from tests.conftest import Start
from tests.support.by_hand import waiting
from tests.support.cli import CLI, read_jsonl
from tests.support.sending import send
from tests.support.waiting import wait_until
from worker.contract.outcomes import open_redis


def test_rows_whose_shared_part_is_lost_are_sent_again(cli: CLI, start_plain: Start, redis_url: str) -> None:
    """The worker says so once, goes on, and in the end every row is done."""
    client = open_redis(redis_url)
    send(cli, ["Make it red."] * 3, "--size", "input")
    client.delete(*client.keys("fleet:run:*:shared"))
    worker = start_plain()
    wait_until(lambda: not waiting(client) and not client.hlen("unacked"), "the worker has let go of all rows")
    assert sum("and so is every row of it that comes here meanwhile" in line for line in worker.lines()) == 1
    collected = cli("collect", "r")
    assert collected.returncode == 0, collected.stderr
    assert "3 rows were lost by Redis and are sent again." in collected.stderr
    assert [fields.get("error") for fields in read_jsonl(cli.folder / "r/output.jsonl")] == [None] * 3
