"""What a command starts ends with it, also where nobody could tell it to."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from producer.local.bound import bound
from tests.support.place import PROJECT
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell of a parent's end")

#: Starts what its arguments say as `producer run` does, says its number, and waits.
OWNER = """
import subprocess, sys, time
from producer.local.bound import bound
print(subprocess.Popen(bound(*sys.argv[1:]), stdout=sys.stderr).pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    "command", [(sys.executable, "-c", "import time; time.sleep(600)"), ("-m", "http.server", "--bind=127.0.0.1", "0")]
)
def test_a_killed_owners_process_ends(command: tuple[str, ...]) -> None:
    """A program that takes its place and a module that is run in it: SIGTERM comes to both."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, *command],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        words = " ".join(command[1:]).encode()
        cmdline = Path(f"/proc/{child}/cmdline")
        wait_until(lambda: words in cmdline.read_bytes().replace(b"\0", b" "), "it has begun")
        owner.send_signal(signal.SIGKILL)
        wait_until(lambda: not cmdline.exists() or not cmdline.read_bytes(), "it has ended")


def test_one_whose_owner_has_ended_before_it_begins_does_not_begin() -> None:
    """Nobody would ever end it."""
    *command, owner, program = bound("/bin/true")
    assert owner == str(os.getpid())
    ended = subprocess.run([*command, "1", program], check=False, cwd=PROJECT)
    assert ended.returncode == 1
    assert subprocess.run([*command, owner, program], check=False, cwd=PROJECT).returncode == 0
