"""Stores are read where their packages are installed; elsewhere a sentence says how that is done."""

import subprocess
import sys

import pytest

from tests.support.place import PROJECT


@pytest.mark.parametrize(
    ("package", "url", "reason"),
    [
        ("s3fs", "s3://bucket/a.png", "s3:// needs s3fs on this machine (pip install 'bulk-image-editor[storage]')"),
        ("gcsfs", "gs://bucket/a.png", "gs:// needs gcsfs on this machine (pip install gcsfs)"),
    ],
)
def test_a_package_that_is_missing_is_named(package: str, url: str, reason: str) -> None:
    """In an interpreter that cannot import it, the error says what to install, and nothing is tried twice."""
    code = f"""
import sys
sys.modules[{package!r}] = None
from worker.storage import objects
from worker.storage.filesystems import NotInstalled
try:
    objects.head({url!r})
except NotInstalled as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=PROJECT)
    assert done.stdout.strip() == reason
