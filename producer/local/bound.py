"""A process that ends with the one that started it, however that ends: `python -m producer.local.bound OWNER COMMAND`.

Without this, a `producer run` that is killed leaves its workers behind, and with them the GPUs' memory. The command is
`-m MODULE`, which is run here, or a program, which takes this one's place.
"""

import ctypes
import os
import runpy
import signal
import sys
from collections.abc import Sequence
from typing import Final

#: Of prctl(2), which Linux has: the signal that comes when the parent has ended. It outlasts execve(2).
_PR_SET_PDEATHSIG: Final = 1


def bound(*command: str, python: str = sys.executable) -> list[str]:
    """Return the command line of a process that is told to end, by SIGTERM, when this one has ended."""
    return [python, "-m", __name__, str(os.getpid()), *command]


def main(owner: str, *command: str) -> None:
    """Become the command."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(owner):  # it has ended in between
        sys.exit(1)
    _become(command)


def _become(command: Sequence[str]) -> None:
    if command[0] != "-m":
        os.execv(command[0], [*command])  # noqa: S606 - our own command line
    sys.argv = [*command[1:]]
    runpy.run_module(command[1], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
