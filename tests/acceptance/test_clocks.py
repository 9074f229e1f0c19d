"""Workers whose clocks are wrong: what is in whose hands is told by Redis' clock alone."""

from functools import partial

from tests.conftest import Start
from tests.support.cli import CLI
from tests.support.sending import pictures, send
from worker.contract.outcomes import open_redis


def test_workers_with_wrong_clocks_take_no_row_from_each_other(cli: CLI, start: Start, redis_url: str) -> None:
    """Beside one that is two minutes ahead one that is two minutes behind keeps its rows, and each is received once."""
    begin = partial(start, app="tests.support.clocks", visibility_timeout=4, rows_in_flight=4, passthrough_seconds=1.6)
    workers = [begin("behind", clock_wrong_by=-120), begin("ahead", clock_wrong_by=120)]
    for worker in workers:
        worker.wait_until_ready()
    send(cli, ["Make it red."] * 8)
    collected = cli("collect", "r")
    assert collected.returncode == 0, collected.stderr
    assert len(pictures(cli.folder)) == 8
    assert sum(line.endswith("received") for worker in workers for line in worker.lines()) == 8
    assert open_redis(redis_url).hlen("unacked") == 0
