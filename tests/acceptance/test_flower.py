"""The real Flower, in an environment without torch, sees every row."""

import base64
import json
import socket
import subprocess
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.conftest import Start
from tests.support.browser import require_chromium, running_browser
from tests.support.cli import CLI, row, write_jsonl
from tests.support.monitor import monitor_celery
from tests.support.pictures import photo
from tests.support.sending import send
from tests.support.waiting import wait_until
from tests.support.workers import environment

AUTH = "someone:a-password"

LOGIN = {"Authorization": "Basic " + base64.b64encode(AUTH.encode()).decode()}


class Flower:
    """Flower's HTTP API."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def get(self, path: str, *, login: bool = True) -> Any:
        """Fetch and decode an answer."""
        request = urllib.request.Request(self.url + path, headers=LOGIN if login else {})  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def refused(self, path: str) -> str:
        """Press a button that does not work; return what is said."""
        request = urllib.request.Request(self.url + path, method="POST", headers=LOGIN)  # noqa: S310 - loopback
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(request, timeout=20)  # noqa: S310 - loopback
        return error.value.read().decode()

    def states(self) -> Counter[str]:
        """Count the tasks by state."""
        return Counter(task["state"] for task in self.get("/api/tasks?limit=1000").values())

    def up(self) -> bool:
        """Tell whether it answers."""
        try:
            self.get("/api/tasks")
        except (OSError, urllib.error.HTTPError):
            return False
        return True


@pytest.fixture
def flower(redis_url: str) -> Iterator[Flower]:
    """Start `celery -A worker flower` as the README says."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [monitor_celery(), "-A", "worker", "flower", "--address=127.0.0.1", f"--port={port}"],
        env={**environment({"broker_url": redis_url}), "FLOWER_BASIC_AUTH": AUTH},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        server = Flower(port)
        wait_until(lambda: process.poll() is not None or server.up(), "Flower answers")
        assert process.poll() is None
        yield server
    finally:
        process.terminate()
        process.wait(30)


def test_flower_shows_every_row(flower: Flower, cli: CLI, start_plain: Start) -> None:
    """Each row is a task that names its picture, words, folder and row: received, started, then succeeded or failed."""
    names = [photo("coffee", 300, 200, cli.folder / f"{number}.png").name for number in range(60)]
    names[7] = names[40] = "absent.png"
    write_jsonl(cli.folder / "in.jsonl", [row(name, "Make it red.") for name in names])
    start_plain().wait_until_ready()
    assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    assert cli("collect", "r").returncode == 3

    def ended() -> list[dict[str, Any]]:
        tasks = flower.get("/api/tasks?limit=1000").values()
        return [task for task in tasks if task["state"] in {"SUCCESS", "FAILURE"}]

    wait_until(lambda: len(ended()) == 60, "Flower has seen the end of every row")
    tasks = ended()
    assert Counter(task["state"] for task in tasks) == {"SUCCESS": 58, "FAILURE": 2}
    assert all(task["received"] and task["started"] for task in tasks)
    assert all(task["name"] == "worker.edit" for task in tasks)
    result = next(task["result"] for task in tasks if task["state"] == "SUCCESS")
    for fact in ("'batch': '", "'rows': '", "'bucket': '304x208'", "'model': ", "'paths': ['sample_", str(cli.folder)):
        assert fact in result
    arguments = [task["args"] for task in tasks]
    whose = f"instruction='Make it red.', folder='{cli.folder}/r', row="
    assert all(text.startswith(f"(image='{cli.folder}/") and whose in text for text in arguments)
    assert sorted(int(text.partition("row=")[2].rstrip(")")) for text in arguments) == list(range(60))


def listed(browser: Chrome) -> Counter[str]:
    """Count the rows of the task list by state, as they are shown: at one blow, since it is drawn anew all the time."""
    states = "return [...document.querySelectorAll('#tasks-table tbody .badge')].map((badge) => badge.innerText)"
    return Counter(browser.execute_script(states))


def test_a_task_leads_to_its_row(flower: Flower, cli: CLI, start_plain: Start) -> None:
    """In a browser: the list has every row of a run, is searched by a picture's name, and names folder and row."""
    require_chromium()
    start_plain().wait_until_ready()
    send(cli, ["Make it red."] * 4, images=["one.png", "two.png", "three.png", "four.png"])
    wait_until(lambda: flower.states() == {"SUCCESS": 4}, "Flower has seen the end of every row")
    with running_browser(reaches="127.0.0.1") as browser:
        browser.execute_cdp_cmd("Network.enable", {})
        browser.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": LOGIN})
        browser.get(f"{flower.url}/tasks")
        wait_until(lambda: listed(browser) == {"SUCCESS": 4}, "the list shows every row")
        browser.find_element(By.CSS_SELECTOR, "input[type=search]").send_keys("three.png")
        wait_until(lambda: listed(browser) == {"SUCCESS": 1}, "the list shows that row alone")
        browser.find_element(By.CSS_SELECTOR, "#tasks-table tbody a[href^='/task/']").click()
        wait_until(lambda: "/task/" in browser.current_url, "its page is there")
        page = browser.find_element(By.TAG_NAME, "body").text
    assert f"image='{cli.folder}/three.png', instruction='Make it red.', folder='{cli.folder}/r', row=" in page
    assert "row=2)" in page
    assert "['sample_2/sample_2_0.png']" in page


def test_flower_asks_for_its_password(flower: Flower) -> None:
    """Without the password that the environment names, the API is closed."""
    with pytest.raises(urllib.error.HTTPError, match="401"):
        flower.get("/api/tasks", login=False)


def test_a_cancelled_row_is_no_failure(flower: Flower, cli: CLI, start_plain: Start, gate: Path) -> None:
    """Rows that wait for the GPU, and those on it, are revoked: an alarm for failures stays quiet."""
    names = [photo("coffee", 300, 200, cli.folder / f"{number}.png").name for number in range(8)]
    write_jsonl(cli.folder / "in.jsonl", [row(name, "Make it red.") for name in names])
    worker = start_plain(passthrough_gate=gate, batch_size=2)
    worker.wait_until_ready()
    assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    wait_until(lambda: flower.states()["STARTED"] == 8, "every row is in hand")
    wait_until(lambda: worker.logged(" rows at "), "a batch is on the GPU")
    assert cli("cancel", "r").returncode == 0
    gate.touch()
    wait_until(lambda: flower.states() == {"REVOKED": 8}, "every row is revoked")


#: Buttons of a worker's page that cannot work, and how what they answer ends.
BUTTONS = {
    "grow": "set FLEET_ROWS_IN_FLIGHT instead.",
    "shrink": "set FLEET_ROWS_IN_FLIGHT instead.",
    "autoscale": "set FLEET_ROWS_IN_FLIGHT instead.",
    "restart": "stop the worker, and its supervisor starts it again.",
}


def test_buttons_that_cannot_work_say_why(flower: Flower, start_plain: Start) -> None:
    """One sentence in Flower's own alert, whatever the button, and the worker goes on."""
    worker = start_plain()
    worker.wait_until_ready()
    wait_until(lambda: flower.get("/api/workers?refresh=true"), "Flower knows the worker")
    (name,) = flower.get("/api/workers")
    for button, instead in BUTTONS.items():
        said = flower.refused(f"/api/worker/pool/{button}/{name}?n=1&min=1&max=2")
        assert ": refused: " in said
        assert said.endswith(instead)
    assert not worker.logged("Traceback")
    assert worker.process.poll() is None
