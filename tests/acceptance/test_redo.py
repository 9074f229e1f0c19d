"""Pictures and the run agree: what is gone or damaged is found and made again, and so is what its owner rejects."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Fleet
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.edited import BLUE, GREEN, RED, plain

SUBMIT = ("submit", "in.jsonl", "--run-dir", "r")


@pytest.fixture
def four(passthrough: Fleet, tmp_path: Path) -> CLI:
    """Have a run of four rows, of which the last has failed."""
    cli = passthrough.cli(tmp_path)
    names = [plain(tmp_path / f"{n}.png", shade) for n, shade in enumerate((RED, GREEN, BLUE))]
    write_jsonl(tmp_path / "in.jsonl", [row(name, "x") for name in [*names, "absent.png"]])
    assert edit(cli) == 3
    return cli


def edit(cli: CLI) -> int:
    """Send what is to be sent, and collect it; return the exit code."""
    sent = cli(*SUBMIT)
    assert sent.returncode == 0, sent.stderr
    return cli("collect", "r").returncode


def picture(cli: CLI, number: int) -> Path:
    """Return the path of a row's picture."""
    return cli.folder / f"r/sample_{number}/sample_{number}_0.png"


def seed(cli: CLI, number: int) -> str:
    """Return the seed that a row's picture names."""
    with Image.open(picture(cli, number)) as image:
        return str(image.info["fleet:seed"])


def test_pictures_that_are_gone_or_damaged_are_made_again(four: CLI) -> None:
    """What is gone, cut off or another row's is found, named, and made again by the same commands; nothing else is."""
    before = {n: picture(four, n).read_bytes() for n in range(3)}
    assert four("verify", "r").stderr == "All 3 finished rows have their pictures.\n"
    picture(four, 0).unlink()
    picture(four, 1).write_bytes(before[1][:-40])
    untouched = picture(four, 2).stat().st_mtime_ns
    found = four("verify", "r", "--json")
    assert found.returncode == 4
    assert json.loads(found.stdout) == {
        "verified": 3,
        "damaged": [
            {"row": 0, "path": "sample_0/sample_0_0.png", "what": "is gone"},
            {"row": 1, "path": "sample_1/sample_1_0.png", "what": "is damaged, or another row's"},
        ],
    }
    assert "2 of 3" not in found.stdout
    assert edit(four) == 3
    assert {n: picture(four, n).read_bytes() for n in range(3)} == before
    assert picture(four, 2).stat().st_mtime_ns == untouched


def test_a_picture_of_another_row_is_none(four: CLI) -> None:
    """A whole picture in another's place is noticed by its fingerprint; a fast look sees only what is not there."""
    picture(four, 0).write_bytes(picture(four, 1).read_bytes())
    picture(four, 2).write_bytes(b"")
    fast = four("verify", "r", "--fast")
    assert fast.returncode == 4
    assert fast.stdout == "row 2: r/sample_2/sample_2_0.png is empty\n"
    whole = four("verify", "r")
    assert whole.stdout == "row 0: r/sample_0/sample_0_0.png is damaged, or another row's\n"
    assert "1 of 2 finished rows lacks a picture, and counts as not done" in whole.stderr


def test_rejected_rows_get_another_seed_and_keep_it(four: CLI) -> None:
    """Rows that are named are edited with new seeds, once; the same commands again leave them alone."""
    before = [seed(four, n) for n in range(3)]
    redone = four("redo", "r", "--rows", "0,2-9", "--new-seed")
    assert redone.stderr.startswith("3 rows are to be edited again, each with a seed of its own;")
    assert not picture(four, 0).exists()
    assert edit(four) == 3
    after = [seed(four, n) for n in range(3)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True, False]
    made = picture(four, 0).stat().st_mtime_ns
    assert edit(four) == 3
    assert picture(four, 0).stat().st_mtime_ns == made
    assert len([fields for fields in read_jsonl(four.folder / "r/output.jsonl") if fields["output_image"]]) == 3


def test_rows_are_chosen_by_what_became_of_them(four: CLI) -> None:
    """Rows with an error are edited again by a condition, by a retry, too; what nobody chose is left alone."""
    plain(four.folder / "absent.png", RED)
    assert four("redo", "r", "--where", "error~NO SUCH FILE", "--dry-run").stderr == "1 row would be edited again.\n"
    assert four("redo", "r", "--where", "error~no such file").returncode == 0
    assert "1 row published" in four("retry", "r").stderr
    assert four("collect", "r").returncode == 0


def test_what_cannot_be_redone_is_said(four: CLI) -> None:
    """Rows that are not there, and none at all, are one sentence and the right exit code."""
    absent = four("redo", "r", "--rows", 99)
    assert absent.returncode == 1
    assert absent.stderr == "Error: The run r has no answered row of these; `producer status r` counts them.\n"
    assert four("redo", "r").returncode == 2
    wrong = four("redo", "r", "--rows", "9-1")
    assert wrong.returncode == 2
    assert "expected rows such as 7,12-20, found '9-1'." in wrong.stderr
    assert four("verify", "nowhere").returncode == 1
