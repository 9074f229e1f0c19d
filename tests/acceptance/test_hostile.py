"""Whoever can write to Redis can send anything: workers stay inside their folders, and nonsense does not stop them."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.conftest import Start
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.pictures import photo
from tests.support.requests import make_request, shared_of
from tests.support.sending import send
from tests.support.waiting import wait_until
from worker.contract.messages import TASK_NAME, queue_name
from worker.contract.outcomes import open_redis
from worker.contract.sharing import Splitter

QUEUE = queue_name("demo")


def envelope(body: object, **headers: Any) -> dict[str, Any]:
    """Make a message as Celery publishes it."""
    return {
        "body": base64.b64encode(json.dumps(body).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": TASK_NAME, "id": "1", "argsrepr": "", "kwargsrepr": "{}", **headers},
        "properties": {
            "correlation_id": "1",
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": QUEUE},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": "0",
        },
    }


def without(message: dict[str, Any], key: str) -> dict[str, Any]:
    """Drop a part of a message."""
    return {name: value for name, value in message.items() if name != key}


REST: dict[str, Any] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
ROW = Splitter(shared_of(make_request())).own(make_request())

NONSENSE: dict[str, object] = {
    "no JSON": "\x00\xff no JSON",
    "a number": 7,
    "a list": [],
    "an empty object": {},
    "no headers": without(envelope([[], {}, REST]), "headers"),
    "no properties": without(envelope([[], {}, REST]), "properties"),
    "no body": without(envelope([[], {}, REST]), "body"),
    "headers of another kind": {**envelope([[], {}, REST]), "headers": []},
    "an unknown task": envelope([[], {}, REST], task="os.system"),
    "a task of no name": envelope([[], {}, REST], task=["x"]),
    "no id": envelope([[], {}, REST], id=None),
    "a body of too few parts": envelope([1]),
    "a body of other parts": envelope(["text", 5, None]),
    "a body that is no base64": {**envelope([]), "body": "%%%"},
    "no arguments": envelope([[], {}, REST]),
    "too many arguments": envelope([["{}", "{}"], {}, REST]),
    "a named argument": envelope([[], {"message": "{}"}, REST]),
    "an argument that is text": envelope([["{}"], {}, REST]),
    "a request that does not decode": envelope([[{"run": 1}], {}, REST]),
    "another version": envelope([[{**ROW, "v": 99}], {}, REST]),
    "one of an earlier version": envelope([[json.dumps({**make_request().model_dump(), "v": 4})], {}, REST]),
    "a run that shares nothing": envelope([[ROW], {}, REST]),
    "a countdown to never": envelope([["{}"], {}, REST], eta="never"),
}


#: Ours; Celery's, of what is no task, one of another name, and one with a part that is wrong.
REFUSED = re.compile(
    "rejected a message|is let go|deleted unknown message|unregistered task|invalid task message|outside body"
)


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    """Connect to this test's Redis."""
    return open_redis(redis_url)


def test_nonsense_in_the_queue_is_refused_with_a_line_in_the_log(
    cli: CLI, start_plain: Start, client: redis.Redis
) -> None:
    """Each entry leaves the queue, a line of the log says so, nothing of it comes back, and rows go on being edited."""
    worker = start_plain(visibility_timeout=4)
    worker.wait_until_ready()
    for kind, nonsense in NONSENSE.items():
        before = len(worker.lines())
        client.lpush(QUEUE, nonsense if isinstance(nonsense, str) else json.dumps(nonsense))
        wait_until(lambda: any(REFUSED.search(line) for line in worker.lines()[before:]), kind)  # noqa: B023 - called at once
        wait_until(lambda: (client.llen(QUEUE), client.hlen("unacked")) == (0, 0), f"{kind} is gone")
        assert worker.process.poll() is None, kind
    send(cli, ["Make it red."] * 2)
    collected = cli("collect", "r")
    assert collected.returncode == 0, collected.stderr
    assert worker.stop() == 0


@pytest.fixture
def data(cli: CLI) -> Path:
    """Have a folder for images, and a secret beside it."""
    folder = cli.folder / "data"
    folder.mkdir()
    photo("coffee", 300, 200, folder / "a.png")
    photo("coffee", 300, 200, cli.folder / "secret.png")
    (folder / "link.png").symlink_to(cli.folder / "secret.png")
    return folder


def test_images_are_read_from_the_input_root_only(cli: CLI, start_plain: Start, data: Path) -> None:
    """A path that leads out of it, by "..", by a link or plainly, or under another spelling, is the row's error."""
    images = ["data/a.png", "data/../secret.png", "data/link.png", str(cli.folder / "secret.png"), "/etc/hostname"]
    images += ["data/A.png", "data/LINK.png", "data/%2E%2E/secret.png"]
    write_jsonl(cli.folder / "in.jsonl", [row(image, "Make it red.") for image in images])
    start_plain(input_root=data)
    assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    assert cli("collect", "r").returncode == 3
    here = cli.folder
    assert [fields.get("error") for fields in read_jsonl(here / "r/output.jsonl")] == [
        None,
        f"line 2: {data}/../secret.png: leads out of FLEET_INPUT_ROOT.",
        f"line 3: {data}/link.png: leads out of FLEET_INPUT_ROOT.",
        f"line 4: {here}/secret.png: leads out of FLEET_INPUT_ROOT.",
        "line 5: /etc/hostname: leads out of FLEET_INPUT_ROOT.",
        f"line 6: image {data}/A.png: no such file; there is a.png, with other letters in upper case.",
        f"line 7: image {data}/LINK.png: no such file.",
        f"line 8: image {data}/%2E%2E/secret.png: no such file.",
    ]


@pytest.mark.parametrize("way", ["plainly", "by a link", "by the row's own folder"])
def test_images_are_written_below_the_output_root_only(cli: CLI, start_plain: Start, data: Path, way: str) -> None:
    """A run folder elsewhere, also behind a link, gets nothing: neither a picture nor a folder of the row."""
    root = cli.folder / "runs"
    root.mkdir()
    if way == "by a link":
        (cli.folder / "elsewhere").mkdir()
        (root / "r").symlink_to(cli.folder / "elsewhere")
    run = cli.folder / "r" if way == "plainly" else root / "r"
    write_jsonl(cli.folder / "in.jsonl", [row(str(data / "a.png"), "Make it red.")])
    assert cli("submit", "in.jsonl", "--run-dir", run).returncode == 0
    if way == "by the row's own folder":
        (cli.folder / "elsewhere").mkdir()
        (run / "sample_0").symlink_to(cli.folder / "elsewhere")
    start_plain(output_root=root)
    assert cli("collect", run).returncode == 3
    [fields] = read_jsonl(run / "output.jsonl")
    assert fields["error"].endswith(": leads out of FLEET_OUTPUT_ROOT.")
    assert not list(cli.folder.rglob("sample_0*.png"))
    assert list((cli.folder / "elsewhere").glob("sample*") if way != "plainly" else run.glob("sample*")) == []


def test_a_run_below_the_output_root_is_written(cli: CLI, start_plain: Start, data: Path) -> None:
    """The root itself may be reached by a link, as mounted folders are."""
    (cli.folder / "mounted").symlink_to(cli.folder)
    write_jsonl(cli.folder / "in.jsonl", [row(str(data / "a.png"), "Make it red.")])
    start_plain(input_root=cli.folder / "mounted", output_root=cli.folder / "mounted")
    assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    assert cli("collect", "r").returncode == 0
