"""An input is a file that stays where it is, or a stream that the run folder keeps."""

import io
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from producer.rows.source import STDIN, run_name, taken
from producer.run.ledger import Ledger
from producer.run.manifest import remembered
from producer.run.opening import create, reopen
from worker.contract.errors import RunError, SettingsError
from worker.settings.fleet import load_settings

SETTINGS = load_settings(diffuser_model_name="demo")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in the test's own folder."""
    monkeypatch.chdir(tmp_path)


def pipe_in(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Let standard input be these bytes."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize(
    ("named", "name"),
    [
        ("data/edits.jsonl", "edits"), ("edits.jsonl.gz", "edits"), ("edits.jsonl.zst", "edits"),
        ("edits.json.bz2", "edits"), ("edits.csv.xz", "edits"), ("edits.parquet", "edits"), ("edits.tsv.lzma", "edits"),
        ("a.b.jsonl", "a.b"), ("edits", "edits"), (".gz", ".gz"),
    ],
)  # fmt: skip
def test_the_run_folders_name(named: str, name: str) -> None:
    """Where none is named, the run folder has the file's name without what says how it is written and packed."""
    assert run_name(Path(named)) == name


def test_a_file_stays_where_it_is() -> None:
    """A file is read in its own place, and its images are looked for beside it."""
    Path("data").mkdir()
    Path("data/in.jsonl").write_text("{}")
    with taken(Path("data/in.jsonl"), Path("run")) as source:
        assert source.path == Path("data/in.jsonl").absolute()
        assert source.base == Path("data").absolute()
    assert not Path("run").exists()


def test_a_stream_is_kept_in_the_run_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input becomes the run's own file, which a later command reads; its images lie in the working folder."""
    pipe_in(monkeypatch, b"{}\n")
    with taken(STDIN, Path("run")) as taken_, create(taken_, Path("run"), SETTINGS, "submit") as run:
        assert run.source.path.read_bytes() == b"{}\n"
        run.remember()
        assert run.source.path == Path("run/run.input").absolute()
    here = Path.cwd()
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    with reopen(here / "run", "collect") as run:
        assert run.source.path == here / "run/run.input"
        assert run.source.base == here
    assert sorted(path.name for path in (here / "run").iterdir()) == ["run.input", "run.lock", "run.sqlite"]


def test_a_second_stream_takes_the_place_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same command again reads its new standard input."""
    for data in (b"[1]", b"[2]"):
        pipe_in(monkeypatch, data)
        with taken(STDIN, Path("run")) as source, create(source, Path("run"), SETTINGS, "submit") as run:
            assert run.source.path.read_bytes() == data
            run.remember()
            assert run.source.path.read_bytes() == data


def test_a_command_that_does_not_come_to_it_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second stream takes the first one's place when the run becomes its own, and not before."""
    for data in (b"[1]", b"[2]"):
        pipe_in(monkeypatch, data)
        with taken(STDIN, Path("run")) as source, create(source, Path("run"), SETTINGS, "submit") as run:
            assert run.source.path.read_bytes() == data
            if data == b"[1]":
                run.remember()
    with reopen(Path("run"), "collect") as run:
        assert run.source.path.read_bytes() == b"[1]"


def test_a_stream_never_takes_the_place_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that belongs to a file refuses a stream, and one that belongs to a stream refuses a file."""
    Path("in.jsonl").write_text("{}")
    with taken(Path("in.jsonl"), Path()) as source, create(source, Path("file"), SETTINGS, "submit") as run:
        run.remember()
    pipe_in(monkeypatch, b"[1]")
    with (
        taken(STDIN, Path("file")) as source,
        pytest.raises(RunError, match=r"belongs to .*in\.jsonl; name another"),
        create(source, Path("file"), SETTINGS, "submit"),
    ):
        pass
    pipe_in(monkeypatch, b"[1]")
    with taken(STDIN, Path("stream")) as source, create(source, Path("stream"), SETTINGS, "submit") as run:
        run.remember()
    with (
        taken(Path("in.jsonl"), Path()) as source,
        pytest.raises(RunError, match="belongs to standard input; name another"),
        create(source, Path("stream"), SETTINGS, "submit"),
    ):
        pass
    with Ledger(Path("file")) as ledger:
        assert remembered(Path("file"), ledger)[0].path == Path("in.jsonl").absolute()
    assert not list(Path().rglob(".run.input.*"))


def test_a_stream_never_takes_the_place_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the copy's name that is no run's is left alone, and the folder is refused."""
    Path("mine").mkdir()
    Path("mine/run.input").write_text("precious")
    pipe_in(monkeypatch, b"[1]")
    with (
        taken(STDIN, Path("mine")) as source,
        pytest.raises(RunError, match=r"holds a run\.input that is no run's; name another with --run-dir"),
        create(source, Path("mine"), SETTINGS, "submit"),
    ):
        pass
    assert Path("mine/run.input").read_text() == "precious"


def test_copies_of_killed_commands_are_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that a killed command has left behind goes when the folder's next stream is kept."""
    Path("run").mkdir()
    for name, age in {"old": 100_000, "new": 0}.items():
        Path(f"run/.run.input.{name}").write_text("left behind, or being written")
        os.utime(f"run/.run.input.{name}", (time.time() - age,) * 2)
    pipe_in(monkeypatch, b"[1]")
    with taken(STDIN, Path("run")) as source, create(source, Path("run"), SETTINGS, "submit") as run:
        run.remember()
    assert [path.name for path in Path("run").glob(".*")] == [".run.input.new"]


def test_a_refused_command_leaves_the_kept_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is refused for another reason has not yet put its stream in the place of the run's."""
    pipe_in(monkeypatch, b"[1]")
    with taken(STDIN, Path("run")) as source, create(source, Path("run"), SETTINGS, "submit") as run:
        run.remember()
    pipe_in(monkeypatch, b"[2]")
    wrong = SETTINGS.model_copy(update={"output": Path("run")})
    with (
        taken(STDIN, Path("run")) as source,
        pytest.raises(SettingsError, match="is a folder or a device"),
        create(source, Path("run"), wrong, "submit"),
    ):
        pass
    with reopen(Path("run"), "collect") as run:
        assert run.source.path.read_bytes() == b"[1]"


def test_a_closed_standard_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a shell has closed standard input, one sentence says so."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(RunError, match=r"^Standard input is closed; name a file\.$"), taken(STDIN, Path("run")):
        pass
    assert not list(Path("run").iterdir())


def test_a_pipe_with_a_name_is_a_stream() -> None:
    """What a shell puts in the place of `<(zcat in.gz)` is read once, and kept like standard input."""
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: Path("pipe").write_bytes(b"[3]"))
    writer.start()
    with taken(Path("pipe"), Path("run")) as source, create(source, Path("run"), SETTINGS, "submit") as run:
        assert run.source.path.read_bytes() == b"[3]"
    writer.join()
