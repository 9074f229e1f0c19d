"""The environment of a monitor: Flower, and neither torch nor numpy."""

from pathlib import Path

from tests.support.place import PROJECT


def monitor_celery() -> Path:
    """Return the path of its `celery`; `make install` makes the environment."""
    celery = PROJECT / ".venv-monitor/bin/celery"
    assert celery.is_file(), "run `make install` first"
    return celery
