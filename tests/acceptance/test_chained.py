"""What one run has made is what the next one edits."""

from pathlib import Path

from PIL import Image

from tests.conftest import Fleet
from tests.support.cli import read_jsonl, row, write_jsonl
from tests.support.pictures import photo


def test_an_output_is_an_input(passthrough: Fleet, tmp_path: Path) -> None:
    """Its paths begin in the working folder; each row has its first picture and its second, and it is said."""
    cli = passthrough.cli(tmp_path)
    photo("coffee", 64, 48, tmp_path / "a.png")
    write_jsonl(tmp_path / "a.jsonl", [row("a.png", "Make it red."), row("a.png", "Make it blue.")])
    assert cli("submit", "a.jsonl", "--run-dir", "r", "--size", "input").returncode == 0
    assert cli("collect", "r").returncode == 0

    columns = ("--input-image-key", "output_image", "--output-image-key", "second")
    sent = cli("submit", "r/output.jsonl", "--run-dir", "r2", "--size", "input", *columns)
    assert sent.returncode == 0, sent.stderr
    assert "Relative paths of images begin in the working folder: ./r/sample_0/sample_0_0.png is not in" in sent.stderr
    assert cli("collect", "r2").returncode == 0
    for number, fields in enumerate(read_jsonl(tmp_path / "r2/output.jsonl")):
        assert fields["output_image"] == [f"./r/sample_{number}/sample_{number}_0.png"]
        with Image.open(tmp_path / fields["second"][0]) as picture:
            assert picture.size == (64, 48)
