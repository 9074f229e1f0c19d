"""Runs whose pictures go to a real object store, over a connection that fails: the journey, and a worker's death."""

import json
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

import producer
from producer.local.redis import running
from tests.conftest import Fleet, Start
from tests.support.bad_connection import BadConnection, Fault
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.edited import RED, plain
from tests.support.galleries import rows_of
from tests.support.object_store import BUCKET, ObjectStore
from tests.support.pictures import photo
from tests.support.place import PROJECT
from tests.support.sending import send
from tests.support.waiting import wait_until
from tests.support.workers import environment, fork_worker

ROWS = 5
PATHS = [f"sample_{number}/sample_{number}_0.png" for number in range(ROWS)]
SUBMIT = ("submit", "in.jsonl", "--run-dir", "run")


@pytest.fixture(scope="module")
def fleet(store_server: ObjectStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Run a worker whose model edits nothing, and that finds the object store."""
    del store_server
    folder = tmp_path_factory.mktemp("s3")
    with running(folder) as server:
        settings = {"broker_url": server.url, "output_root": f"s3://{BUCKET}", "attempts": 3}
        worker = fork_worker("s3", folder / "s3.log", settings, app="tests.support.passthrough")
        worker.wait_until_ready()
        yield Fleet(worker, settings)
        worker.stop()


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    """Name a prefix of this test's own."""
    return f"{tmp_path.name}/edited"


def keys(store: ObjectStore, prefix: str) -> list[str]:
    """Return what lies below a prefix, without it."""
    return [key.removeprefix(f"{prefix}/") for key in store.keys(f"{prefix}/")]


def named(cli: CLI, run: str = "run") -> list[list[str]]:
    """Return what the rows of the output name."""
    return [fields["output_image"] for fields in read_jsonl(cli.folder / run / "output.jsonl")]


@pytest.fixture
def finished(fleet: Fleet, store: ObjectStore, prefix: str, tmp_path: Path) -> CLI:
    """Have a finished run whose pictures went to the store."""
    del store
    cli = fleet.cli(tmp_path)
    name = plain(tmp_path / "a.png", RED)
    write_jsonl(tmp_path / "in.jsonl", [row(name, f"x {number}") for number in range(ROWS)])
    submitted = cli(*SUBMIT, "--pictures", f"s3://{BUCKET}/{prefix}/")
    assert submitted.returncode == 0, submitted.stderr
    collected = cli("collect", "run")
    assert collected.returncode == 0, collected.stderr
    assert f" unanswered; images in s3://{BUCKET}/{prefix}\n" in collected.stderr
    return cli


@pytest.fixture
def failing(store: ObjectStore) -> BadConnection:
    """Have the store's next requests refused, cut, and turned over."""
    store.connection.plan("PUT", Fault.BUSY, Fault.CUT_BODY, Fault.CUT_BEFORE_ANSWER, Fault.CORRUPT, Fault.BUSY)
    store.connection.plan("HEAD", Fault.BUSY, Fault.CUT_BEFORE_ANSWER)
    return store.connection


def test_pictures_lie_at_the_store_alone(
    failing: BadConnection, finished: CLI, store: ObjectStore, prefix: str
) -> None:
    """Whatever goes wrong, each picture is there once, whole; the output names URLs, the folder keeps all else."""
    assert failing.all_done()
    assert keys(store, prefix) == ["run.json", *PATHS]
    urls = [[f"s3://{BUCKET}/{prefix}/{path}"] for path in PATHS]
    assert named(finished) == urls
    with producer.Fleet(str(finished.settings["broker_url"]), model="demo") as fleet:
        results = sorted(fleet.attach(finished.folder / "run"), key=lambda result: result.row)
    assert [(result.state, [*result.urls], result.paths) for result in results] == [("done", url, ()) for url in urls]
    assert not list((finished.folder / "run").glob("sample_*"))
    for path in PATHS:
        with Image.open(BytesIO(store.get(f"{prefix}/{path}"))) as picture:
            assert picture.convert("RGB").getpixel((0, 0)) == RED


def test_they_are_verified_and_made_again_in_their_place(finished: CLI, store: ObjectStore, prefix: str) -> None:
    """What is gone is found without a download; it and rejected rows come again, bit by bit as they were."""
    before = store.get(f"{prefix}/{PATHS[4]}")
    store.client.call_s3("delete_object", Bucket=BUCKET, Key=f"{prefix}/{PATHS[4]}")
    store.connection.calm()
    found = finished("verify", "run", "--json")
    assert (found.returncode, json.loads(found.stdout)["damaged"]) == (
        4,
        [{"row": 4, "path": PATHS[4], "what": "is gone"}],
    )
    assert (store.connection.asked("HEAD", ".png"), store.connection.asked("HEAD")) == (ROWS, ROWS + 1)
    assert store.connection.asked("GET") == store.connection.asked("GET", "/run.json")
    assert finished("redo", "run", "--rows", "1").returncode == 0
    assert keys(store, prefix) == ["run.json", PATHS[0], *PATHS[2:4]]
    assert finished("retry", "run", "--only", "unanswered").returncode == 0
    assert finished("collect", "run").returncode == 0
    assert keys(store, prefix) == ["run.json", *PATHS]
    assert store.get(f"{prefix}/{PATHS[4]}") == before
    assert finished("verify", "run").returncode == 0


@pytest.mark.parametrize("command", [["verify"], ["redo", "--rows", "1"], ["gallery"]], ids=lambda command: command[0])
def test_nothing_is_made_of_a_place_that_is_not_there(
    finished: CLI, store: ObjectStore, prefix: str, command: list[str]
) -> None:
    """In a wrong bucket, or at a wrong server, pictures are not gone: one sentence says so, and each row stays done."""
    for key in ("run.json", PATHS[0]):
        store.client.call_s3("delete_object", Bucket=BUCKET, Key=f"{prefix}/{key}")
    refused = finished(command[0], "run", *command[1:])
    assert refused.returncode == 1
    (said,) = refused.stderr.splitlines()
    assert said.startswith(f"Error: There is no s3://{BUCKET}/{prefix}/run.json, which this run has put beside its pi")
    assert keys(store, prefix) == PATHS[1:]
    assert "0 rows published" in finished(*SUBMIT).stderr
    assert keys(store, prefix) == ["run.json", *PATHS[1:]]
    found = json.loads(finished("verify", "run", "--json").stdout)
    assert found == {"verified": ROWS, "damaged": [{"row": 0, "path": PATHS[0], "what": "is gone"}]}


def test_the_run_goes_on_and_its_prefix_is_its_own(finished: CLI, store: ObjectStore, prefix: str) -> None:
    """The same command needs no option, a table holds bytes; another place is refused, and so is another run here."""
    with (finished.folder / "in.jsonl").open("a") as file:
        file.write(json.dumps(row("a.png", "x 5")) + "\n")
    assert "1 row published" in finished(*SUBMIT, "--output", "out.parquet", "--output-images", "bytes").stderr
    assert finished("collect", "run").returncode == 0
    (shown,) = pq.read_table(finished.folder / "out.parquet")["output_image"][5].as_py()
    assert shown["bytes"] == store.get(f"{prefix}/sample_5/sample_5_0.png")
    assert keys(store, prefix) == ["run.json", *PATHS, "sample_5/sample_5_0.png"]
    elsewhere = finished(*SUBMIT, "--pictures", f"s3://{BUCKET}/elsewhere")
    assert elsewhere.returncode == 2
    assert f"is s3://{BUCKET}/elsewhere, but the run in run was begun with s3://{BUCKET}/{prefix}," in elsewhere.stderr
    another = finished("submit", "in.jsonl", "--run-dir", "run2", "--pictures", f"s3://{BUCKET}/{prefix}")
    assert another.returncode == 1
    assert another.stderr.startswith(f"Error: At s3://{BUCKET}/{prefix} are the pictures of another run (")


def test_every_turns_pictures_go_there(fleet: Fleet, store: ObjectStore, prefix: str, tmp_path: Path) -> None:
    """Results and details name them by URLs; one that is gone has its row made again; they go with their row."""
    name, cli, url = plain(tmp_path / "a.png", RED), fleet.cli(tmp_path), f"s3://{BUCKET}/{prefix}"
    two = [{"role": "user", "content": text} for text in ("x", "y")]
    rows = [{"images": name, "conversations": two}, row(name, "x")]
    last, first = ([f"sample_0/{turn}_{image}.png" for image in range(2)] for turn in ("sample_0", "turn_1"))
    other = [f"sample_1/sample_1_{image}.png" for image in range(2)]

    def edited() -> list[producer.Result]:
        with producer.Fleet(str(fleet.settings["broker_url"]), model="demo") as here:
            run = here.edit(
                rows,
                run_dir=cli.folder / "run",
                images_from=tmp_path,
                pictures=url,
                turns="each",
                num_images=2,
                details=True,
            )
            return list(run.in_order())

    found, alone = edited()
    assert (found.paths, found.earlier_paths, alone.earlier_urls) == ((), (), ())
    assert [*found.urls, *found.earlier_urls] == [f"{url}/{path}" for path in (*last, *first)]
    output = read_jsonl(cli.folder / "run/output.jsonl")[0]
    assert (output["output_image"], output["details"]["turns"]) == ([*found.urls], [[*found.earlier_urls]])
    assert keys(store, prefix) == ["run.json", *last, *first, *other]
    store.client.call_s3("delete_object", Bucket=BUCKET, Key=f"{prefix}/{first[1]}")
    verified = cli("verify", "run", "--json")
    assert json.loads(verified.stdout)["damaged"] == [{"row": 0, "path": first[1], "what": "is gone"}]
    edited()
    assert keys(store, prefix) == ["run.json", *last, *first, *other]
    assert cli("redo", "run", "--rows", "0").returncode == 0
    assert keys(store, prefix) == ["run.json", *other]


def test_the_gallery_shows_them(finished: CLI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Small pictures are made of the store's; without the right key each command says one sentence without a key."""
    made = finished("gallery", "run")
    assert made.returncode == 0, made.stderr
    for entry in rows_of(finished.folder / "run"):
        (after,) = entry["after"]
        assert [*after] == ["small"]  # without a link to what a browser cannot open
        assert (finished.folder / "run/gallery" / after["small"]).is_file()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    for command in (["verify", "run"], ["gallery", "run"], ["submit", "in.jsonl", "--run-dir", "run"]):
        refused = finished(*command)
        assert refused.returncode == 1
        (said,) = refused.stderr.splitlines()
        assert said.startswith("Error: ")
        assert f"s3://{BUCKET}/{tmp_path.name}/edited" in said
        assert "access is denied (403" in said
        assert "geheim" not in said
        assert "fleet-tests" not in said


def test_out_of_the_root_is_the_rows_error(fleet: Fleet, store: ObjectStore, tmp_path: Path) -> None:
    """A run whose pictures would lie on a disk is refused by workers that may write below a URL alone."""
    del store
    cli = fleet.cli(tmp_path)
    send(cli, ["x"])
    assert cli("collect", "r").returncode == 3
    (found,) = read_jsonl(tmp_path / "r/output.jsonl")
    assert found["error"] == f"line 1: {tmp_path}/r: leads out of FLEET_OUTPUT_ROOT."


def test_a_worker_that_dies_in_the_middle_of_a_put(
    cli: CLI, start_plain: Start, store: ObjectStore, prefix: str
) -> None:
    """What it was writing is not there, not even in part; another worker makes it: nothing is lost, or there twice."""
    send(cli, ["x"] * 3, "--pictures", f"s3://{BUCKET}/{prefix}")
    store.connection.plan("PUT", *[Fault.HOLD_BODY] * 20)
    dying = start_plain("w0", visibility_timeout=4)
    wait_until(lambda: store.connection.asked("PUT", "_0.png"), "a PUT is on its way")
    dying.process.kill()
    dying.process.wait()
    store.connection.calm()
    assert keys(store, prefix) == ["run.json"]
    start_plain("w1", visibility_timeout=4)
    collected = cli("collect", "r")
    assert collected.returncode == 0, collected.stderr
    assert keys(store, prefix) == ["run.json", *PATHS[:3]]
    assert named(cli, "r") == [[f"s3://{BUCKET}/{prefix}/{path}"] for path in PATHS[:3]]
    assert cli("verify", "r").returncode == 0


def test_the_example(store: ObjectStore, tmp_path: Path) -> None:
    """The example edits what lies at one prefix, and its pictures come to the other."""
    store.put(f"{tmp_path.name}/photos/coffee.png", photo("coffee", 96, 64, tmp_path / "coffee.png").read_bytes())
    here, there = (f"s3://{BUCKET}/{tmp_path.name}/{name}" for name in ("photos", "winter"))
    done = subprocess.run(
        [sys.executable, PROJECT / "examples/s3_to_s3.py", here, there, "Make it winter."],
        cwd=tmp_path,
        env=environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{here}/coffee.png -> {there}/sample_0/sample_0_0.png\n"
    Image.open(BytesIO(store.get(f"{tmp_path.name}/winter/sample_0/sample_0_0.png"))).load()
