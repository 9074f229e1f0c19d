"""What a producer, a worker's task and Flower import stays light."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "diffusers", "transformers"}


@pytest.mark.parametrize("module", ["producer.commands.cli", "worker.tasks", "worker.celery", "worker.bootsteps"])
def test_no_model_library_is_loaded(module: str) -> None:
    """A fresh interpreter that imports the module has loaded none of the model's libraries."""
    code = f"import sys, {module}; print(*(name for name in {sorted(HEAVY)} if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == []


def test_messages_need_no_celery() -> None:
    """What producer and worker say to each other can be imported without Celery, Redis and Pillow."""
    code = "import sys, worker.contract.messages; print(*({'celery', 'redis', 'PIL'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == []
