"""`producer check` of text2image: no picture is opened, and what makes no sense is said before any row is read."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from producer.commands.cli import main
from tests.support.cli import write_jsonl

PROMPT = {"conversations": [{"role": "user", "content": "A house by a lake."}]}
ROWS = [
    PROMPT,
    {**PROMPT, "images": "gone.png"},
    {**PROMPT, "edit": {"size": "96x64", "num_images": 2}},
    {"images": ""},
]


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write an input, and work where it lies."""
    monkeypatch.chdir(tmp_path)
    return write_jsonl(tmp_path / "in.jsonl", ROWS)


def test_good_rows_go_to_their_sizes_and_bad_ones_are_named(named: Path) -> None:
    """The model's square size, or a row's own; an image is that row's error, whether it is there or not."""
    result = CliRunner().invoke(main, ["check", str(named), "--model", "tiny-klein", "--task", "text2image", "--json"])
    assert result.exit_code == 3, result.output
    found = json.loads(result.stdout)
    assert (found["good"], found["bad"], found["images"]) == (2, 2, 3)
    assert found["buckets"] == {"256x256": 1, "96x64": 1}
    assert found["errors"][0]["error"].startswith("line 2: images: names an image, and text2image takes none; ")


@pytest.mark.parametrize("size", ["auto", "input", "bucket"])
def test_a_size_that_follows_from_a_picture_ends_it_at_once(named: Path, size: str) -> None:
    """One sentence and the code of a wrong option."""
    options = ["--model", "tiny-klein", "--task", "text2image", "--size", size]
    result = CliRunner().invoke(main, ["check", str(named), *options])
    assert result.exit_code == 2
    assert f"FLEET_SIZE: {size} follows from a picture, and text2image has none; name a width and a" in result.stderr


def test_another_task_is_none(named: Path) -> None:
    """The sentence names both."""
    result = CliRunner().invoke(main, ["check", str(named), "--task", "inpaint"])
    assert result.exit_code == 2
    assert "FLEET_IMAGE_GEN_TASK: input should be 'imageedit' or 'text2image' (found 'inpaint')." in result.stderr
