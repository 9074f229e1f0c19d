"""What the verdict demands of pictures, folders and Redis: each breach would be noticed."""

from pathlib import Path
from shutil import copytree

import pytest
from PIL import Image

from tests.chaos import leftovers, pictures
from tests.chaos.rows import asked, write_rows
from tests.support.meaning import target
from worker.contract.messages import Outcome, queue_name
from worker.contract.outcomes import open_redis

ROWS = 4
FULL = {row: {4} for row in range(ROWS)}


@pytest.fixture
def reference(tmp_path: Path) -> pictures.Edited:
    """Make a finished run whose pictures differ."""
    return finished(tmp_path / "reference")


@pytest.fixture
def run(tmp_path: Path, reference: pictures.Edited) -> pictures.Edited:
    """Make the same run once more."""
    copytree(reference.folder, tmp_path / "run")
    return pictures.Edited(tmp_path / "run", reference.outcomes)


@pytest.fixture
def source(tmp_path: Path, run: pictures.Edited) -> Path:
    """Write the run's input, and as its pictures exactly what the rows ask for."""
    source = write_rows(tmp_path, ROWS)
    for row in range(ROWS):
        what = asked(tmp_path, row)
        with Image.open(what.photo) as image:
            pixels = target(what, image.size).permute(1, 2, 0).mul(255).round().byte().numpy()
        Image.fromarray(pixels).save(run.file(row))
    return source


def finished(folder: Path) -> pictures.Edited:
    """Write what a finished run has in its folder."""
    outcomes = {}
    for row in range(ROWS):
        path = folder / f"sample_{row}/sample_{row}_0.png"
        path.parent.mkdir(parents=True)
        Image.new("RGB", (16, 16), (60 * row, 128, 128)).save(path)
        outcomes[row] = Outcome(
            run="0" * 16, row=row, fingerprint="0" * 32, status="done", worker="w0", batch_size=4,
            paths=(str(path.relative_to(folder)),),
        )  # fmt: skip
    for name in ("run.sqlite", "run.lock", "output.jsonl"):
        (folder / name).touch()
    return pictures.Edited(folder, outcomes)


def brighten(path: Path, by: int) -> None:
    """Change a picture by so much of 255."""
    with Image.open(path) as image:
        changed = image.point([value + by for value in range(256)] * 3)
    changed.save(path)


def test_the_same_pictures_are_the_same(run: pictures.Edited, reference: pictures.Edited) -> None:
    """Copies leave nothing to be said."""
    assert pictures.compare(run, reference, FULL) == []


def test_pictures_of_batches_of_one_size_are_the_same_to_the_byte(
    run: pictures.Edited, reference: pictures.Edited
) -> None:
    """A difference of 1/255 passes only where the row also rode in a batch of another size."""
    brighten(run.file(1), by=1)
    (complaint,) = pictures.compare(run, reference, FULL)
    assert complaint.endswith("differ, though their batches had the same size")
    assert pictures.compare(run, reference, {**FULL, 1: {4, 1}}) == []


def test_a_difference_of_more_than_1_in_255_is_noticed(run: pictures.Edited, reference: pictures.Edited) -> None:
    """Whatever the batches were."""
    brighten(run.file(1), by=2)
    (complaint,) = pictures.compare(run, reference, {**FULL, 1: {1}})
    assert complaint.endswith("differ by more than 1/255")


def test_another_rows_picture_is_noticed(run: pictures.Edited, reference: pictures.Edited) -> None:
    """It is neither the row's own, nor unlike the other's."""
    run.file(1).write_bytes(reference.file(3).read_bytes())
    complaints = pictures.compare(run, reference, {**FULL, 1: {1}})
    assert [complaint.rpartition(" and ")[0] == "" for complaint in complaints] == [False, True]
    assert complaints[1].endswith("might as well be another row's")


def test_pictures_that_show_what_their_rows_ask_for_are_right(run: pictures.Edited, source: Path) -> None:
    """They need not be exact: no model's are."""
    for row in range(ROWS):
        brighten(run.file(row), by=9)
    complaints, remark = pictures.look(run, source)
    assert complaints == []
    assert remark.startswith("4 of 4 pictures match")
    assert remark.endswith("4 different ones were asked for.")


def test_swapped_pictures_are_noticed_without_a_run_to_compare_with(run: pictures.Edited, source: Path) -> None:
    """Each of the two, and what it shows instead."""
    one, other = run.file(0), run.file(2)
    swapped = one.read_bytes(), other.read_bytes()
    other.write_bytes(swapped[0])
    one.write_bytes(swapped[1])
    complaints, remark = pictures.look(run, source)
    assert [complaint.partition(" (")[0] for complaint in complaints] == [
        f"row 0: {one} should show {asked(source.parent, 0)}, and looks more like {asked(source.parent, 2)}",
        f"row 2: {other} should show {asked(source.parent, 2)}, and looks more like {asked(source.parent, 0)}",
    ]
    assert remark.startswith("2 of 4 pictures match")


def test_what_is_left_in_a_run_folder_is_noticed(run: pictures.Edited) -> None:
    """A temporary file is, and a picture that is missing."""
    assert leftovers.in_folder(run.folder, ROWS) == []
    (run.folder / "sample_0/.sample_0_0.png.0123.tmp").touch()
    run.file(2).unlink()
    assert leftovers.in_folder(run.folder, ROWS) == [
        f"sample_0/.sample_0_0.png.0123.tmp is left in {run.folder}",
        f"sample_2/sample_2_0.png is missing in {run.folder}",
    ]


def test_what_is_left_in_redis_is_noticed(redis_url: str) -> None:
    """Messages are, in a queue of any priority or in hand, and keys that stay for ever; kombu's own are not."""
    queue = queue_name("demo")
    with open_redis(redis_url) as client:
        client.set("fleet:run:0:status", 1, ex=60)
        client.sadd(f"_kombu.binding.{queue}", 1)
        assert leftovers.in_redis(redis_url) == []
        client.lpush(f"{queue}\x06\x163", 1)
        client.hset("unacked", "tag", "message")
        client.set("fleet:run:0:alone:7", 1)
    assert sorted(leftovers.in_redis(redis_url)) == [
        "fleet:run:0:alone:7 stays in Redis for ever",
        f"messages are left in {queue}\x06\x163",
        "messages are left in unacked",
    ]
