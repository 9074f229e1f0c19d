"""Which app Celery was told to import, and what would take its place."""

from pathlib import Path

import pytest

from producer.commands.celery_app import named_app, stranger_in
from tests.support.place import PROJECT


@pytest.mark.parametrize(
    ("arguments", "environment", "app"),
    [
        (["-A", "worker", "worker", "-l", "INFO"], {}, "worker"),
        (["--app", "worker", "flower"], {}, "worker"),
        (["--app=worker", "inspect", "ping"], {}, "worker"),
        (["-Aworker", "worker"], {}, "worker"),
        (["worker"], {"APP": "worker"}, "worker"),
        (["-A", "mine", "worker"], {"APP": "worker"}, "mine"),
        (["worker", "-l", "INFO"], {}, None),
        (["-A"], {}, None),
        ([], {}, None),
    ],
)
def test_the_app_is_read_as_celery_reads_it(arguments: list[str], environment: dict[str, str], app: str | None) -> None:
    """From the option in each of its spellings, or from the variable."""
    assert named_app(arguments, environment) == app


def test_only_what_would_be_imported_is_a_stranger(tmp_path: Path) -> None:
    """A module, or a package: not a folder of other things, and not our own."""
    assert stranger_in(tmp_path) is None
    (tmp_path / "worker").mkdir()
    assert stranger_in(tmp_path) is None
    (tmp_path / "worker" / "__init__.py").touch()
    assert stranger_in(tmp_path) == tmp_path / "worker" / "__init__.py"
    (tmp_path / "worker.py").touch()
    assert stranger_in(tmp_path) == tmp_path / "worker.py"
    assert stranger_in(PROJECT) is None
