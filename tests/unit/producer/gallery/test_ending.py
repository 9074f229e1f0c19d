"""At a run's end the gallery is made or named, and the run is what it is, whatever becomes of the page."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from producer.commands.cli import main
from producer.gallery import ending
from producer.gallery.gallery import Gallery
from tests.support.galleries import data_of, edits, picture, rows_of, run_of


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a picture."""
    picture(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_collecting_ends_with_the_page(here: Path) -> None:
    """`producer collect` says where it is on standard error; the output's path stands alone on standard output."""
    run_of(here, edits(2), failed={1: "broken"})
    ended = CliRunner().invoke(main, ["collect", "run"])
    assert (ended.exit_code, ended.stdout) == (3, "run/output.jsonl\n")
    assert ended.stderr.splitlines()[-1] == "Look at them in a browser: run/gallery/index.html"
    assert [row["state"] for row in rows_of(here / "run")] == ["done", "failed"]


def test_a_large_runs_page_is_named_and_not_made(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pictures of many rows would keep whoever waits for the end; the sentence says how they are made."""
    monkeypatch.setattr(ending, "MOST_AT_END", 1)
    run_of(here, edits(2))
    ended = CliRunner().invoke(main, ["collect", "run"])
    assert (ended.exit_code, ended.stderr.splitlines()[-1]) == (0, "Look at them with: producer gallery run")
    assert not (here / "run/gallery").exists()


def test_a_page_that_cannot_be_made_fails_no_run(here: Path) -> None:
    """Its own sentence is the last, and the exit code is the run's."""
    folder = run_of(here, edits(1))
    (folder / "gallery").write_text("a file of my own")
    ended = CliRunner().invoke(main, ["collect", "run"])
    assert ended.exit_code == 0
    assert ended.stderr.splitlines()[-1].startswith("The gallery run/gallery cannot be written: ")
    assert (folder / "gallery").read_text() == "a file of my own"


def test_what_nobody_has_thought_of_fails_no_run(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither does an error that is nobody's sentence."""
    folder = run_of(here, edits(1))
    monkeypatch.setattr(os.path, "relpath", lambda *_: 1 / 0)
    assert ending.at_the_end(folder, 1).startswith("The gallery could not be made (ZeroDivisionError: ")


def test_the_command_prints_the_pages_path(here: Path) -> None:
    """The path alone on standard output, and on standard error how many rows it shows and how many are to come."""
    run_of(here, edits(3), waiting=(2,))
    made = CliRunner().invoke(main, ["gallery", "run"])
    assert (made.exit_code, made.stdout) == (0, "run/gallery/index.html\n")
    assert made.stderr == "2 finished rows, 1 more to come: --watch follows them\n"


def test_the_command_says_how_many_rows_it_leaves_out(here: Path) -> None:
    """Of a run of more rows than --most it shows some, and says so."""
    run_of(here, edits(5))
    made = CliRunner().invoke(main, ["gallery", "run", "--most", "2"])
    assert made.stderr == "2 finished rows, one row in 3 of the run; --most shows more\n"


def test_watching_a_finished_run_ends(here: Path) -> None:
    """There is nothing to wait for."""
    run_of(here, edits(1))
    made = CliRunner().invoke(main, ["gallery", "run", "--watch"])
    assert (made.exit_code, made.stdout) == (0, "run/gallery/index.html\n")
    assert data_of(here / "run")["live"] is False


def test_watching_ends_as_it_is_told(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is no error here: what there is stays, and its path is printed."""
    run_of(here, edits(2), waiting=(1,))

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Gallery.follow, "__defaults__", (interrupt,))
    made = CliRunner().invoke(main, ["gallery", "run", "--watch"])
    assert (made.exit_code, made.stdout) == (0, "run/gallery/index.html\n")
    assert made.stderr.splitlines()[-1] == "It shows what was finished until now."
    assert data_of(here / "run")["live"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["absent"], 1, "Error: There is no folder absent; name the run's"),
        (["run"], 1, "Error: No row of the run run is finished, so there is nothing to show yet;"),
        (["run", "--most", "0"], 2, "Invalid value for '--most'"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(here: Path, arguments: list[str], code: int, sentence: str) -> None:
    """A folder that is no run's and a run without a finished row: said in a sentence, with the right exit code."""
    run_of(here, edits(1), waiting=(0,))
    made = CliRunner().invoke(main, ["gallery", *arguments])
    assert (made.exit_code, made.stdout) == (code, "")
    assert sentence in made.stderr
