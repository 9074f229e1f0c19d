"""A run's contact sheet has every input beside its output, or one sentence says why there is none."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from worker.models.demo.sheet import main

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Write a finished run of three rows, of which one failed."""
    Image.new("RGB", (40, 20), RED).save(tmp_path / "in.png")
    told = PngInfo()
    told.add_text("fleet:instruction", "Make it blue.")
    Image.new("RGB", (40, 20), BLUE).save(tmp_path / "out.png", pnginfo=told)
    rows = [
        {"images": "in.png", "output_image": [str(tmp_path / "out.png")]},
        {"images": "in.png", "output_image": [], "error": "line 2: broken"},
        {"images": ["in.png"], "output_image": [str(tmp_path / "out.png")]},
    ]
    (tmp_path / "output.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "output.jsonl"


def sheet(output: Path, *, name: str = "sheet.png") -> tuple[int, str]:
    """Call the command; return its exit code, and what it said."""
    called = CliRunner().invoke(main, [str(output), str(output.with_name(name)), "--images", str(output.parent)])
    return called.exit_code, called.output


def test_inputs_stand_beside_their_outputs(output: Path) -> None:
    """Of each edited row there are its input and its output; a row that failed has no place."""
    assert sheet(output)[0] == 0
    with Image.open(output.with_name("sheet.png")) as page:
        counts = {colour: n for n, colour in page.getcolors(2**20) or []}
    assert counts[RED] == counts[BLUE] == 2 * 200 * 100


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ('{"output_image": []}', "names no edited picture"),
        ("not json", "No sheet of"),
        ('{"images": "absent.png", "output_image": ["absent.png"]}', "absent.png"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(output: Path, lines: str, sentence: str) -> None:
    """A run without pictures, an output that is none and a picture that is gone are told in a sentence."""
    output.write_text(lines)
    code, said = sheet(output)
    assert code in {1, 2}
    assert sentence in said
    assert "Traceback" not in said


def test_a_format_that_is_none_is_one_sentence(output: Path) -> None:
    """So is a sheet whose name has no known ending."""
    code, said = sheet(output, name="sheet.nothing")
    assert code == 1
    assert "unknown file extension" in said
