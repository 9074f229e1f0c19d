"""`make demo` as the README tells it, without doing it."""

import os
import subprocess
from functools import cache

from tests.support.place import PROJECT


@cache
def would_do() -> str:
    """Return what it would do where nothing is installed yet."""
    made = ["make", "--dry-run", "--always-make", "demo"]
    # Of a `make test` that runs this one: its flags are not the user's.
    mine = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(made, cwd=PROJECT, env=mine, check=True, capture_output=True, text=True).stdout


def test_the_demo_has_an_environment_of_its_own() -> None:
    """It installs what it runs with, and no developers' tools, and leaves theirs alone."""
    assert "--editable '.[worker,local]'" in would_do()
    assert ".venv-demo/bin/producer run examples/edits.jsonl --model demo" in would_do()
    assert ".venv/" not in would_do()
    assert "[dev]" not in would_do()


def test_the_demo_says_what_it_downloads_before_it_does() -> None:
    """How large PyTorch is comes first, and how to do with less; the same as in the README."""
    said, _, rest = would_do().partition("pip install")
    assert "DEMO_DOWNLOADS" in said
    assert rest
    (words,) = [
        part.split("endef")[0] for part in (PROJECT / "Makefile").read_text().split("define DEMO_DOWNLOADS")[1:]
    ]
    readme = (PROJECT / "README.md").read_text()
    for fact in ("2.7 GB", "0.2 GB", "PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make demo"):
        assert fact in words
        assert fact in readme
