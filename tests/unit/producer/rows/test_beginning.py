"""Relative paths of images begin beside the input, in the working folder if only that has them, or where one says."""

from pathlib import Path

import pytest

from producer.rows.beginning import begun
from producer.rows.source import Source, taken
from producer.run.ledger import Ledger
from producer.run.manifest import remembered
from producer.run.opening import create
from tests.support.cli import row, write_jsonl
from worker.contract.errors import RunError, SettingsError
from worker.settings.fleet import load_settings


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in the test's own folder."""
    monkeypatch.chdir(tmp_path)


def beginning(images: list[object], **settings: object) -> tuple[Path, list[str]]:
    """Return where the paths of rows in data/in.jsonl begin, and what is said of it."""
    said: list[str] = []
    Path("data").mkdir(exist_ok=True)
    write_jsonl(Path("data/in.jsonl"), [row(image, "Make it red.") for image in images])
    given = load_settings(**{"diffuser_model_name": "demo", **settings})
    with taken(Path("data/in.jsonl"), Path("r")) as source:
        return begun(source, given, said.append).base, said


def make(*names: str) -> None:
    """Make files."""
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


@pytest.mark.parametrize("there", [("data/a.png",), ("data/a.png", "a.png"), ()])
def test_the_inputs_own_folder_comes_first(tmp_path: Path, there: tuple[str, ...]) -> None:
    """Also where both folders have it, or none; nothing is said."""
    make(*there)
    assert beginning(["a.png"]) == (tmp_path / "data", [])


def test_the_working_folder_is_taken_where_it_alone_has_the_images(tmp_path: Path) -> None:
    """As DataFlow's users and our own outputs have it; rows that say nothing of it are passed over."""
    make("r/sample_1/sample_1_0.png")
    base, said = beginning(
        [[], "/absolute.png", "data:image/png;base64,AAAA", "absent.png", "r/sample_1/sample_1_0.png"]
    )
    assert base == tmp_path
    missing = f"r/sample_1/sample_1_0.png is not in {tmp_path / 'data'}."
    assert said == [f"Relative paths of images begin in the working folder: {missing}"]


@pytest.mark.parametrize("image", ["x" * 300, "a\x00.png", {"bytes": 3}, 7, None])
def test_what_is_no_path_decides_nothing(tmp_path: Path, image: object) -> None:
    """It is that row's error, and not the command's."""
    make("b.png")
    assert beginning([image, "b.png"])[0] == tmp_path


def test_pictures_that_are_made_begin_nowhere(tmp_path: Path) -> None:
    """A column of images of text2image holds what an earlier run has made."""
    make("data/a.png", "b.png")
    settings = {"image_gen_task": "text2image", "diffuser_model_name": "tiny-kontext"}
    assert beginning(["a.png", "b.png"], **settings) == (tmp_path / "data", [])


def test_a_mixture_is_refused(tmp_path: Path) -> None:
    """Either choice would lose rows."""
    make("data/a.png", "b.png")
    with pytest.raises(RunError) as refused:
        beginning(["a.png", "b.png"])
    where = f"The image a.png is in {tmp_path / 'data'} only, and b.png in {tmp_path} only"
    assert str(refused.value) == f"{where}; name the folder in which relative paths begin with --images-from."


def test_the_folder_that_is_named_is_taken(tmp_path: Path) -> None:
    """Whatever the others have; one that is none is refused."""
    make("data/a.png", "b.png", "there/c.png")
    assert beginning(["a.png", "b.png"], images_from=Path("there")) == (tmp_path / "there", [])
    with pytest.raises(SettingsError, match=r"^FLEET_IMAGES_FROM: nowhere is no folder\.$"):
        beginning(["a.png"], images_from=Path("nowhere"))


def test_a_run_remembers_where_its_paths_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same command in another working folder finds the same pictures; another folder by name is taken."""
    make("a.png", "there/a.png")
    monkeypatch.chdir(tmp_path)

    def opened(**settings: object) -> Source:
        given = load_settings(diffuser_model_name="demo", **settings)
        with (
            taken(tmp_path / "data/in.jsonl", Path()) as source,
            create(source, tmp_path / "run", given, "submit") as run,
        ):
            run.remember()
            return run.source

    assert beginning(["a.png"])[0] == tmp_path
    assert opened().base == tmp_path
    monkeypatch.chdir("there")
    assert opened().base == tmp_path
    with Ledger(tmp_path / "run", read_only=True) as ledger:
        assert remembered(tmp_path / "run", ledger)[0].base == tmp_path
    assert opened(images_from=Path()).base == tmp_path / "there"
