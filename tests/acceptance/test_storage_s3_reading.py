"""Rows whose images are in a store: edited by a real worker, checked beforehand, each error a row's own."""

from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Start
from tests.support.bad_connection import Fault
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.files import encoded, photo
from tests.support.object_store import BUCKET, READER, READER_SECRET, ObjectStore

PRIVATE = "its host is in a private network; images are fetched from public addresses alone"


@pytest.fixture
def rows(cli: CLI, store: ObjectStore) -> Path:
    """Have rows whose images are in the store, or not, or out of the folder that workers may read."""
    data = encoded(photo(300, 200))
    store.put("outside/a.png", data)
    images = [store.put("in/a.png", data), store.put("in/two words.png", data), f"s3://{BUCKET}/in/absent.png"]
    images += [f"s3://{BUCKET}/in/../outside/a.png", "/etc/hostname", "https://localhost/a.png"]
    return write_jsonl(cli.folder / "in.jsonl", [row(image, "Make it red.") for image in images])


def test_images_are_read_from_a_store(cli: CLI, start_plain: Start, store: ObjectStore, rows: Path) -> None:
    """While it answers 503 and breaks off, rows are edited all the same; no other image of it and no file is read."""
    # Each of the three rows that ask for one bears three at once, so that one of them is tried again itself.
    store.connection.plan("HEAD", *[Fault.BUSY] * 10)
    store.connection.plan("GET", Fault.CUT_ANSWER, Fault.BUSY)
    worker = start_plain(input_root=f"s3://{BUCKET}/in", allow_urls="localhost")
    assert cli("submit", rows.name, "--run-dir", "r", "--allow-urls", "localhost").returncode == 0
    assert cli("collect", "r").returncode == 3
    output = read_jsonl(cli.folder / "r/output.jsonl")
    assert [fields.get("error") for fields in output] == [
        None,
        None,
        f"line 3: image s3://{BUCKET}/in/absent.png: no such object.",
        f"line 4: s3://{BUCKET}/outside/a.png: leads out of FLEET_INPUT_ROOT.",
        "line 5: /etc/hostname: leads out of FLEET_INPUT_ROOT.",
        f"line 6: image https://localhost/a.png: {PRIVATE}.",
    ]
    for number in range(2):
        with Image.open(cli.folder / output[number]["output_image"][0]) as made:
            assert abs(made.width / made.height - 1.5) < 0.01
    assert store.connection.all_done()
    assert worker.logged("its store has trouble for the moment (503)")


def test_check_reads_a_store(cli: CLI, rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`producer check` says of each row what a worker would; who may not read says so, and no key is shown."""
    checked = cli("check", rows.name)
    assert "line 3: image" in checked.stdout + checked.stderr
    assert "3 good" in checked.stdout
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", READER)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", READER_SECRET)
    denied = cli("check", rows.name)
    said = denied.stdout + denied.stderr
    assert f"line 1: image s3://{BUCKET}/in/a.png: access is denied (403); look at this machine's credentials" in said
    assert not any(secret in said for secret in (READER, READER_SECRET))
