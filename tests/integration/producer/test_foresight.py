"""`producer run` looks at rows before it starts a worker: none is started where no row can be edited."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.rows.lines import read_lines
from producer.rows.source import taken
from producer.run import opening
from producer.run.open_run import Run
from producer.run.records import Entry, State
from producer.sending.foresight import Foresight
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.pictures import photo
from worker.contract.messages import EditRequest
from worker.settings.fleet import Settings


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Open a run of five rows, of which the third and the last have their picture."""
    (tmp_path / "broken.png").write_bytes(b"no picture")
    photo("coffee", 64, 64, tmp_path / "good.png")
    names = ["absent.png", "broken.png", "good.png", "absent.png", "good.png"]
    source = write_jsonl(tmp_path / "in.jsonl", [row(name, "Make it red.") for name in names])
    folder, settings = tmp_path / "r", Settings(diffuser_model_name="demo")
    with taken(source, folder) as rows, opening.create(rows, folder, settings, "run") as run:
        yield run


def requests(run: Run) -> list[EditRequest]:
    """Return what the rows ask for."""
    parsed = (run.parser.parse(line).request for line in read_lines(run.source.path))
    return [request for request in parsed if request is not None]


def test_only_rows_before_the_first_good_one_are_foreseen(run: Run) -> None:
    """A worker is started for that one anyway, and sees to the others."""
    foresight = Foresight(run.settings)
    outcomes = foresight(requests(run))
    assert [(outcome.row, outcome.status) for outcome in outcomes] == [(0, "failed"), (1, "failed")]
    assert str(outcomes[0].error).endswith("absent.png: no such file.")
    assert foresight(requests(run)[3:4]) == [], "once a row is good, no more are looked at"


def test_it_looks_no_further_than_it_may(run: Run) -> None:
    """Of an input that begins with ever so many bad rows workers find the rest sooner."""
    assert [outcome.row for outcome in Foresight(run.settings, most=1)(requests(run))] == [0]


def test_no_worker_is_started_for_rows_that_cannot_be_edited(cli: CLI) -> None:
    """They are answered in the words of `producer check`, exit code 3, and again where nothing has changed."""
    (cli.folder / "broken.png").write_bytes(b"no picture")
    write_jsonl(cli.folder / "in.jsonl", [row("absent.png", "Make it red."), row("broken.png", "Make it red."), "{}"])
    said = cli("check", "in.jsonl").stdout.splitlines()[:3]
    for _ in range(2):
        done = cli("run", "in.jsonl", "--run-dir", "r")
        assert done.returncode == 3, done.stderr
        assert "0 rows done, 3 failed, 0 unanswered" in done.stderr
        assert [fields["error"] for fields in read_jsonl(cli.folder / "r/output.jsonl")] == said
        assert not list(cli.folder.glob("r/worker-*"))


def test_a_finished_row_stays_finished_where_its_image_is_gone(cli: CLI) -> None:
    """Only rows that are about to be sent are looked at."""
    image = photo("coffee", 64, 64, cli.folder / "a.png")
    source = write_jsonl(cli.folder / "in.jsonl", [row(image.name, "Make it red.")])
    settings = Settings(diffuser_model_name="demo")
    with taken(source, cli.folder / "r") as rows, opening.create(rows, cli.folder / "r", settings, "run") as run:
        (request,) = requests(run)
        run.ledger.note([Entry(0, request.fingerprint, State.DONE)])
    image.unlink()
    done = cli("run", "in.jsonl", "--run-dir", "r")
    assert done.returncode == 0, done.stderr
    assert "1 row done, 0 failed" in done.stderr
