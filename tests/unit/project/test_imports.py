"""What a producer, a worker's task and Flower import stays light."""

import subprocess
import sys

import pytest

from tests.support.place import PROJECT

HEAVY = {"torch", "diffusers", "transformers", "s3fs", "botocore", "aiohttp"}


@pytest.mark.parametrize("module", ["producer.commands.cli", "worker.tasks", "worker.celery", "worker.bootsteps"])
def test_no_model_library_is_loaded(module: str) -> None:
    """A fresh interpreter that imports the module has loaded none of the model's libraries, nor of stores."""
    code = f"import sys, {module}; print(*(name for name in {sorted(HEAVY)} if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == []


def test_what_takes_dataflows_place_needs_neither_it_nor_torch() -> None:
    """A script without DataFlow imports it, and with it no library of the model's, and none of DataFlow's tables."""
    code = f"import sys, producer.dataflow; print(*({HEAVY | {'dataflow', 'pandas', 'numpy'}} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == []


def test_messages_need_no_celery() -> None:
    """What producer and worker say to each other can be imported without Celery, Redis and Pillow."""
    code = "import sys, worker.contract.messages; print(*({'celery', 'redis', 'PIL'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == []


def test_a_command_makes_itself_nothing_while_it_is_imported() -> None:
    """No setting is read, and no worker's own name made: one that was forked after its imports is as a fresh one."""
    code = """
import os, sys

read = type(os.environ).__getitem__

def noting(self, name):
    if name.startswith("FLEET_"):
        print(name)
    return read(self, name)

type(os.environ).__getitem__ = noting
import tests.support.imported_by_commands
print("imported", "worker.delivery.quarantine" in sys.modules)
os.environ.get("FLEET_SEEN")
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=PROJECT)
    assert done.stdout.split() == ["imported", "False", "FLEET_SEEN"]
