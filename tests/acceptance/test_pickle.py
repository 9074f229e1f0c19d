"""Only JSON is read from the broker: a pickle, which runs its sender's code when it is opened, stays closed."""

import base64
import json
import os
import pickle
from pathlib import Path
from uuid import uuid4

from tests.conftest import Fleet
from tests.support.cli import row, write_jsonl
from tests.support.pictures import photo
from tests.support.waiting import wait_until
from worker.contract.messages import TASK_NAME, queue_name
from worker.contract.outcomes import open_redis


class Charge:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self._path),)


def message(body: bytes, headers: dict[str, object]) -> str:
    """Wrap a body as kombu does it in Redis."""
    told = {"exchange": "", "routing_key": queue_name("demo")}
    properties = {"body_encoding": "base64", "delivery_tag": str(uuid4()), "delivery_info": told, "priority": 0}
    kind = {"content-type": "application/x-python-serialize", "content-encoding": "binary", "headers": headers}
    return json.dumps({"body": base64.b64encode(body).decode(), "properties": properties, **kind})


def test_a_pickle_is_refused_unopened(passthrough: Fleet, tmp_path: Path) -> None:
    """As a task, as a task of old, or as a command it is a line of the worker's log, and the worker goes on."""
    tried, made = tmp_path / "tried", tmp_path / "made"
    pickle.loads(pickle.dumps(Charge(tried)))  # noqa: S301 - it would go off
    assert tried.is_dir()
    body = pickle.dumps(((Charge(made),), {}, {}))
    task = {"task": TASK_NAME, "id": "a-pickle", "lang": "py", "root_id": "a-pickle", "parent_id": None}
    redis, queue = open_redis(str(passthrough.settings["broker_url"])), queue_name("demo")
    redis.lpush(queue, message(body, task), message(body, {}))
    wait_until(lambda: redis.publish("/0.celery.pidbox", message(body, {})), "the worker listens for commands")
    told = ("Received invalid task message: Refusing", "body: ContentDisallowed('Refusing")
    wait_until(
        lambda: [sum(line in log for log in passthrough.worker.lines()) for line in told] == [1, 2], "it is said"
    )
    photo("coffee", 300, 200, tmp_path / "a.png")
    write_jsonl(tmp_path / "in.jsonl", [row("a.png", "Make it red.")])
    cli = passthrough.cli(tmp_path)
    assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    assert cli("collect", "r").returncode == 0
    wait_until(lambda: not redis.hlen("unacked"), "every message is acknowledged")
    assert not made.exists()
