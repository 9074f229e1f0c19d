"""What a forked process becomes, and how it starts processes of its own: forked as well, and its children all the same.

`producer run` starts workers, each of which would import torch and diffusers for five seconds of a core.
"""

import atexit
import ctypes
import faulthandler
import os
import pickle
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

#: Of prctl(2): a process whose parent has ended becomes this one's child.
_PR_SET_CHILD_SUBREAPER: Final = 36

_MOST: Final = 2**20


def live(entry: str, arguments: Sequence[str], folder: str, environment: Mapping[str, str]) -> NoReturn:
    """Be a process that was started with this environment in this folder, to its end.

    `entry`: a module, which is run as `python -m` runs it, a console script's `module:function`, or -c.
    """
    code = 1
    try:
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        if "PYTHONFAULTHANDLER" in environment:
            faulthandler.enable()
        module, _, function = entry.partition(":")
        sys.argv = [module.partition(".")[0], *arguments]
        if entry == "-c":
            exec(arguments[0], {"__name__": "__main__"})  # noqa: S102 - as Python does
        elif function:
            getattr(import_module(module), function)()
        else:
            if "PYTHONSAFEPATH" not in environment:
                sys.path[0] = folder  # as `python -m` has it
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        else:
            code = end.code or 0
    except BaseException:  # as Python itself does at last
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            threading._shutdown()  # type: ignore[attr-defined] # noqa: SLF001 - waits for its threads, as Python's own end
            atexit._run_exitfuncs()  # noqa: SLF001 - likewise
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def settle(streams: Sequence[int]) -> None:
    """Be a process of its own: of its own session, with these for standard streams and nothing else open."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 256)


def beget() -> None:
    """Have this process fork what it starts with its own Python as `-m`, from what it has imported so far.

    The processes are forked by a helper, before this one has threads, locks and files; they become its children when
    what stands between has ended.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        for number in (signal.SIGINT, signal.SIGTERM):  # meant for the process that asks
            signal.signal(number, signal.SIG_IGN)
        _serve(theirs)
    theirs.close()
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    class Popen(subprocess.Popen[Any]):
        def _execute_child(self, args: Any, *rest: Any) -> None:
            if args[:2] != [sys.executable, "-m"]:
                super()._execute_child(args, *rest)  # type: ignore[misc]
                return
            folder, environment, files = rest[4], rest[5], (rest[9], rest[12], rest[14])
            order = (args[2], args[3:], folder or str(Path.cwd()), dict(environment or os.environ))
            handles = [number if file == -1 else file for number, file in enumerate(files)]
            socket.send_fds(ours, [pickle.dumps(order)], handles)
            self.pid = int(ours.recv(_MOST))
            self._child_created = True
            self._close_pipe_fds(*rest[9:15])  # type: ignore[attr-defined]

    subprocess.Popen = Popen  # type: ignore[misc]


def _serve(asked: socket.socket) -> NoReturn:
    while True:
        message, files, _, _ = socket.recv_fds(asked, _MOST, 3)
        if not message:
            os._exit(0)
        told, tells = os.pipe()
        if (between := os.fork()) == 0:
            me = os.getpid()
            if (child := os.fork()) == 0:
                asked.close()
                while os.getppid() == me:  # until it is its starter's child, as it may want to be sure of
                    time.sleep(0.001)
                settle(files)
                live(*pickle.loads(message))  # noqa: S301 - from the tests
            os.write(tells, str(child).encode())
            os._exit(0)
        os.waitpid(between, 0)
        asked.send(os.read(told, _MOST))
        for handle in (told, tells, *files):
            os.close(handle)
