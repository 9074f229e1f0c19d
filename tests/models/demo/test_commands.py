"""The commands around the demo model say in one sentence what is wrong, and write what they promise."""

import shutil
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from tests.support.pictures import UNSEEN, photo
from worker.models.demo import CHECKPOINT
from worker.models.demo.edits import EDITS
from worker.models.demo.phrases import HELD_OUT
from worker.models.demo.train import export
from worker.models.demo.train.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--photos", "empty"), 1, "Error: empty holds no photograph, *.jpg; name another folder with --photos."),
        (("--photos", "absent"), 1, "Error: absent holds no photograph, *.jpg; name another folder with --photos."),
        (
            ("--out", "thesis"),
            1,
            "Error: thesis holds something else than a checkpoint; name an empty folder, or a new one.",
        ),
        (
            ("--out", "empty", "--only-measure"),
            1,
            "Error: empty/training.json is not there or broken; name a checkpoint that was trained here with --out.",
        ),
        (
            ("--scale", "0.01"),
            2,
            "Error: A try with --scale needs an --out of its own; it would take the place of the demo model.",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_sentence(
    arguments: tuple[str, ...], code: int, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback, the right exit code, and nothing is written."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").touch()
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["--photos", str(UNSEEN), *arguments])
    assert result.exit_code == code, result.output
    assert result.output.splitlines()[-1] == sentence
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["chapter.tex", "empty", "thesis"]


def test_a_checkpoint_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--only-measure` writes a model card with a line for every edit, and a contact sheet."""
    # One phrasing of each edit, in one step: how well it is done does not matter here, and all of it takes a minute.
    monkeypatch.setattr(export, "measure", partial(export.measure, steps=1))
    monkeypatch.setattr(export, "HELD_OUT", {name: phrases[:1] for name, phrases in HELD_OUT.items()})
    shutil.copytree(CHECKPOINT, tmp_path / "model", ignore=shutil.ignore_patterns("README.md", "edits.jpg"))
    (tmp_path / "photos").mkdir()
    photo("coffee", 96, 96, tmp_path / "photos" / "coffee.jpg")
    result = CliRunner().invoke(
        main, ["--only-measure", "--out", str(tmp_path / "model"), "--photos", str(tmp_path / "photos")]
    )
    assert result.exit_code == 0, result.output
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "{" not in card
    assert [line.split("|")[1].strip() for line in card.splitlines() if line.startswith("| ")][1:-1] == list(EDITS)
    assert "Measured on 1 photographs" in card
    with Image.open(tmp_path / "model" / "edits.jpg") as sheet:
        assert sheet.width > (1 + len(EDITS)) * 100
