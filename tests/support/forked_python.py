"""Stands in for a Python that pytest's processes are started with: `forked_python.py -u -c CODE`.

What comes of it has torch and diffusers imported, which takes each process seconds otherwise: it is forked, with the
standard streams of this one, which only waits for its end.
"""

import os
import pickle
import socket
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[2])

from tests.support.launcher import NUMBER, Order  # noqa: E402 - from the checkout
from tests.support.launching import launcher  # noqa: E402


def main() -> int:
    """Have it forked; return its exit code."""
    order = Order("-c", [sys.argv[-1]], str(Path.cwd()), dict(os.environ))
    ends, told = os.pipe()
    socket.send_fds(launcher("workers"), [pickle.dumps(order)], [told, 0, 1, 2])
    os.close(told)
    os.read(ends, NUMBER.size)  # its number
    code = os.read(ends, NUMBER.size)
    return int(NUMBER.unpack(code)[0]) if code else 1


if __name__ == "__main__":
    sys.exit(main())
