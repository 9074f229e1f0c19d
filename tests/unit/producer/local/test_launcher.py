"""Starting processes from a thread that lasts."""

import os
import shutil
from pathlib import Path

from producer.local.launcher import launched
from tests.support.waiting import wait_until

TRUE = shutil.which("true") or "/bin/true"


def test_a_forked_process_starts_its_own(tmp_path: Path) -> None:
    """A thread does not survive a fork: the child of one that has started something starts things all the same."""
    with (tmp_path / "log").open("wb") as output:
        assert launched(TRUE, environment=os.environ, output=output).wait(30) == 0
        if not (child := os.fork()):
            try:
                launched(TRUE, environment=os.environ, output=output).wait(30)
                (tmp_path / "done").touch()
            finally:
                os._exit(0)
        try:
            wait_until((tmp_path / "done").exists, "the child has started a process")
        finally:
            os.kill(child, 9)
            os.waitpid(child, 0)
