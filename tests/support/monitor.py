"""The environment of a monitor: Flower, and neither torch nor numpy."""

from pathlib import Path


def monitor_celery() -> Path:
    """Return the path of its `celery`; `make install` makes the environment."""
    celery = Path(__file__).parents[2] / ".venv-monitor/bin/celery"
    assert celery.is_file(), "run `make install` first"
    return celery
