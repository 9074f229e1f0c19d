"""The scripts among the examples do what they say, as a user starts them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import read_jsonl
from tests.support.workers import environment

EXAMPLES = Path(__file__).parents[2] / "examples"


def ran(script: str, folder: Path, *arguments: str) -> str:
    """Run a script in an empty folder; return what it prints."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / script, *arguments],
        cwd=folder,
        env=environment({}),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_list_of_rows(tmp_path: Path) -> None:
    """Each row is said as it comes, one of them with its error, and the output is named."""
    said = ran("python_list.py", tmp_path, "r")
    assert "2 done, 1 failed: r/output.jsonl" in said
    assert "no-such-file.jpg" in said
    assert [len(fields["output_image"]) for fields in read_jsonl(tmp_path / "r/output.jsonl")] == [1, 1, 0]


def test_a_data_frame(tmp_path: Path) -> None:
    """The frame has its pictures in a column."""
    said = ran("python_dataframe.py", tmp_path, "r")
    assert said.count("sample_") >= 4
    assert len([*tmp_path.glob("r/sample_*/*.png")]) == 4


@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_every_script_is_on_the_page(script: str) -> None:
    """The examples' page names it."""
    assert script in (EXAMPLES / "README.md").read_text()
