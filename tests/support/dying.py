"""A `producer` command that stops at an exact place: killed there, or held until the test lets it go on.

`python -m tests.support.dying before 1 producer.run.ledger:Ledger.sent KILL submit in` is `producer submit`,
which sends itself SIGKILL before its first call of that method; with `after`, when that call is over.
"""

import os
import signal
import subprocess
import sys
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

from producer.commands.cli import main
from tests.support.cli import CLI
from tests.support.forked import run_forked
from tests.support.place import PROJECT
from tests.support.waiting import wait_until
from tests.support.workers import environment


def killed(cli: CLI, when: str, place: str, *args: object, nth: int = 1) -> None:
    """Run a command that is killed there."""
    command = [when, nth, place, "KILL", *args]
    ended = run_forked(
        "tests.support.dying", command, folder=cli.folder, environment=environment(cli.settings), limit=60
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def held(cli: CLI, when: str, place: str, *args: object) -> subprocess.Popen[str]:
    """Run a command up to there, and hold it; SIGCONT lets it go on."""
    own = {**environment(cli.settings), "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "tests.support.dying", when, 1, place, "STOP", *args]
    process = subprocess.Popen(
        [*map(str, command)], cwd=cli.folder, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: _is_stopped(process), f"the command stands {when} {place}")
    return process


def _is_stopped(process: subprocess.Popen[str]) -> bool:
    assert process.poll() is None, process.communicate()[1]
    # The state is the field behind the name, which is in parentheses.
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def _stop(when: str, nth: int, place: str, by: str) -> None:
    """Wrap a method so that its n-th call stops this process."""
    module, _, path = place.partition(":")
    holder, name = path.split(".")
    owner = getattr(import_module(module), holder)
    method, calls = getattr(owner, name), 0

    @wraps(method)
    def stopping(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != nth:
            return method(*args, **kwargs)
        if when == "before":
            os.kill(os.getpid(), signal.Signals[f"SIG{by}"])
        answer = method(*args, **kwargs)
        if when == "after":
            os.kill(os.getpid(), signal.Signals[f"SIG{by}"])
        return answer

    setattr(owner, name, stopping)


if __name__ == "__main__":
    when, nth, place, by, *arguments = sys.argv[1:]
    _stop(when, int(nth), place, by)
    main(arguments, prog_name="producer")
