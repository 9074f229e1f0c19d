"""Where LoRAs come from, and what is said where they cannot be had: paths, and a hub on this machine."""

from pathlib import Path

import pytest

from tests.support.hub import FIND_LORAS, fetch
from worker.contract.errors import RowError
from worker.contract.lora import Lora
from worker.models.adapters.files import identity_of
from worker.models.adapters.finding import Finder

CASES = [
    "loras/one",
    "loras/one/style.safetensors",
    "loras/two",
    "loras/two/sub/other.safetensors",
    "loras/two/none.safetensors",
    "loras/pickled",
    "gated/style",
    "gated-files/style/flux1-kontext-dev.safetensors",
    "unknown/style",
    "hangs-up/style/a.safetensors",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of LoRAs, which the hub's cache lies beside."""
    folder = tmp_path_factory.mktemp("loras")
    for name in ("one", "two", "none"):
        (folder / name).mkdir()
    for name in ("one/a.safetensors", "one/a.txt", "two/b.safetensors", "two/a.safetensors", "none/a.bin"):
        (folder / name).touch()
    return folder


@pytest.fixture(scope="module")
def answers(hub: str, folder: Path) -> dict[str, str]:
    """Ask for each of them; return the answers by name."""
    asked = [*CASES, *(str(folder / name) for name in ("one", "two", "none", "two/b.safetensors"))]
    return dict(zip(asked, fetch(hub, folder / "cache", *asked, script=FIND_LORAS), strict=True))


def test_the_only_file_of_a_model_is_taken(answers: dict[str, str], folder: Path) -> None:
    """One of several is named; both lie in the hub's cache then."""
    for name, file in (
        ("loras/one", "style.safetensors"),
        ("loras/one/style.safetensors", "style.safetensors"),
        ("loras/two/sub/other.safetensors", "sub/other.safetensors"),
    ):
        assert Path(answers[name]).is_relative_to(folder / "cache" / "hub")
        assert answers[name].endswith(f"/{file}")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "loras/two",
            "holds 2 files (such as style.safetensors and sub/other.safetensors); name one: loras/two/style.safeten",
        ),
        ("loras/two/none.safetensors", "loras/two has no file none.safetensors."),
        ("loras/pickled", "holds no .safetensors, and nothing else is read."),
        ("gated/style", "is gated; accept its licence on its page at huggingface.co, then set HF_TOKEN on the workers"),
        ("gated-files/style/flux1-kontext-dev.safetensors", "is gated; accept its licence"),
        ("unknown/style", "the hub has no unknown/style, or the workers' HF_TOKEN may not see it."),
    ],
)
def test_what_cannot_be_had_is_the_rows_error(answers: dict[str, str], name: str, sentence: str) -> None:
    """In one sentence that says what to do."""
    assert answers[name].startswith(f"RowError: lora {name}: {sentence}")
    assert "\n" not in answers[name]


def test_a_hub_that_does_not_answer_is_asked_again(answers: dict[str, str]) -> None:
    """It may pass, as storage that fails for the moment does."""
    name = "hangs-up/style/a.safetensors"
    assert answers[name].startswith(f"TransientError: lora {name}: is not on this machine and cannot be downloaded now")


def test_without_a_network_what_was_downloaded_is_found(answers: dict[str, str], folder: Path) -> None:
    """By its model's name, too; what was not is said to need the network."""
    asked = ("loras/one", "loras/one/style.safetensors", "far/away")
    one, file, other = fetch("http://127.0.0.1:1", folder / "cache", *asked, script=FIND_LORAS, offline=True)
    assert one == file == answers["loras/one"]
    assert other.startswith("TransientError: lora far/away: is not on this machine and cannot be downloaded now (")


def test_a_folder_stands_for_its_only_file(answers: dict[str, str], folder: Path) -> None:
    """As diffusers saves one; a file is named as it is, and several are told apart by name."""
    assert answers[str(folder / "one")] == str(folder / "one/a.safetensors")
    assert answers[str(folder / "two/b.safetensors")] == str(folder / "two/b.safetensors")
    two, none = folder / "two", folder / "none"
    assert answers[str(two)].endswith(f" and b.safetensors); name one: {two}/a.safetensors.")
    assert answers[str(none)] == f"RowError: lora {none}: holds no .safetensors, and nothing else is read."


def test_a_link_out_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    """A worker that may read the folder may not read all that somebody else's link in it leads to."""
    (tmp_path / "secret").write_bytes(b"")
    (tmp_path / "loras").mkdir()
    (tmp_path / "loras/a.safetensors").symlink_to(tmp_path / "secret")
    with pytest.raises(RowError, match=r"loras: a\.safetensors in it is a link that leads out of it"):
        Finder().path(Lora(str(tmp_path / "loras"), 1.0))


def test_a_path_that_is_too_long_is_the_rows_error(tmp_path: Path) -> None:
    """Whatever the file system says of it."""
    path = Finder().path(Lora(str(tmp_path / ("x" * 300)), 1.0))
    with pytest.raises(RowError, match="cannot be read"):
        identity_of(path, "o/a")
