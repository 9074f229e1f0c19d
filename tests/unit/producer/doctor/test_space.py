"""Whether a run has room, by what its rows will take."""

from pathlib import Path

import pytest

from producer.doctor.finding import Finding, Verdict
from producer.doctor.space import Needs, look_at_space, space_found
from producer.rows.source import taken
from producer.run import opening
from producer.run.records import Entry, State
from tests.support.cli import row, write_jsonl
from worker.contract.messages import Outcome
from worker.settings.fleet import Settings

DEMO = Settings(diffuser_model_name="demo")
GB = 10**9


@pytest.mark.parametrize(
    ("free", "names", "needs", "verdict"),
    [
        (GB, 0, None, Verdict.OK),
        (GB // 100, 0, None, Verdict.BROKEN),
        (2 * GB, 0, Needs(1000, 1e6), Verdict.OK),
        (2 * GB, 0, Needs(3000, 1e6), Verdict.BROKEN),  # 3 GB
        (GB // 100, 0, Needs(9, 1e6), Verdict.OK),  # a small run on a small disk
        (2 * GB, 2000, Needs(1000, 1e6), Verdict.OK),
        (2 * GB, 1999, Needs(1000, 1e6), Verdict.BROKEN),  # a folder and a file each
    ],
)
def test_room_is_what_the_pictures_to_come_take(free: int, names: int, needs: Needs | None, verdict: Verdict) -> None:
    """In bytes, and in names of files where the file system counts them."""
    assert space_found(Path("run"), free, names, needs).verdict is verdict


def found(folder: Path, *, named: bool = True) -> Finding:
    """Look at a folder."""
    (finding,) = look_at_space(folder, DEMO, named=named)
    return finding


def test_a_folder_need_not_be_there_yet(tmp_path: Path) -> None:
    """The nearest one above it tells, and nothing is made."""
    assert found(tmp_path / "a" / "b").verdict is Verdict.OK
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_run_folder(tmp_path: Path) -> None:
    """Nor is a folder in it."""
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        assert found(folder).found == f"{tmp_path}/file is a file, and no run folder"


def test_pictures_to_come_are_as_large_as_those_of_the_run(tmp_path: Path) -> None:
    """One of three rows is done, with two pictures of 2 MB: four more of these are to come."""
    source = write_jsonl(tmp_path / "in.jsonl", [row("a.png", "Make it red.")] * 3)
    folder = tmp_path / "run"
    settings = Settings(diffuser_model_name="demo", num_images=2)
    with taken(source, folder) as taken_source, opening.create(taken_source, folder, settings, "submit") as run:
        run.remember()
        run.ledger.note([Entry(number, "f" * 32, State.NOTED) for number in range(3)])
        run.ledger.sent(range(3))
        paths = ("sample_0/sample_0_0.png", "sample_0/sample_0_1.png")
        (folder / "sample_0").mkdir()
        for path in paths:
            (folder / path).write_bytes(bytes(2_000_000))
        run.ledger.apply(
            [Outcome(run=run.ledger.run, row=0, fingerprint="f" * 32, status="done", paths=paths, worker="w0")]
        )
    assert found(folder).found.endswith("and 4 pictures to come take about 8.0 MB")
