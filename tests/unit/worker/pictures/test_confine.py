"""Paths that lead out of the folder that is meant for them are refused, however they do it."""

from pathlib import Path

import pytest

from worker.contract.errors import RowError
from worker.pictures.confine import confined


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a folder with pictures, links among and out of them, and a neighbour of a similar name."""
    root = tmp_path / "data"
    (root / "inner").mkdir(parents=True)
    (tmp_path / "data-of-others").mkdir()
    for path in (root / "a.png", root / "inner/b.png", tmp_path / "secret.png", tmp_path / "data-of-others/c.png"):
        path.write_text("")
    (root / "link-in.png").symlink_to(root / "inner/b.png")
    (root / "link-out.png").symlink_to(tmp_path / "secret.png")
    (root / "folder-out").symlink_to(tmp_path)
    (root / "circle").symlink_to(root / "circle")
    return root


@pytest.mark.parametrize("name", ["a.png", "inner/b.png", "inner/../a.png", "link-in.png", "absent.png", "new/x.png"])
def test_what_lies_inside_passes(root: Path, name: str) -> None:
    """Files, links and detours inside are taken, as they are once every link is followed, there or not."""
    assert confined(root / name, root, "FLEET_INPUT_ROOT") == (root / name).resolve()


@pytest.mark.parametrize(
    "name",
    ["../secret.png", "inner/../../secret.png", "link-out.png", "folder-out/secret.png", "../data-of-others/c.png"],
)
def test_what_leads_out_is_refused(root: Path, name: str) -> None:
    """By "..", by a link to a file or a folder, by a name that only begins alike: one sentence, with the setting."""
    with pytest.raises(RowError, match=r"leads out of FLEET_INPUT_ROOT\.$"):
        confined(root / name, root, "FLEET_INPUT_ROOT")


@pytest.mark.parametrize("name", ["circle", "nul\0byte.png"])
def test_what_cannot_be_followed_is_refused(root: Path, name: str) -> None:
    """A link to itself and a name that no file can have are the row's error, and nothing else."""
    with pytest.raises(RowError):
        confined(root / name, root, "FLEET_INPUT_ROOT")


def test_a_root_may_be_a_link_itself(root: Path, tmp_path: Path) -> None:
    """A root that is reached by a link holds what lies behind it."""
    (tmp_path / "mounted").symlink_to(root)
    assert confined(tmp_path / "mounted/a.png", tmp_path / "mounted", "FLEET_INPUT_ROOT") == root / "a.png"
    assert confined(root / "a.png", tmp_path / "mounted", "FLEET_INPUT_ROOT") == root / "a.png"


def test_without_a_root_every_path_is_taken_as_it_is(root: Path) -> None:
    """Nothing is followed where nothing is confined."""
    assert confined(root / "link-out.png", None, "FLEET_INPUT_ROOT") == root / "link-out.png"
