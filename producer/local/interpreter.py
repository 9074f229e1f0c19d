"""The Python that workers on this machine run in: this one, or that of another environment (FLEET_WORKER_PYTHON).

A program's own environment may hold libraries that the model's do not go with.
"""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import Any, Final

from worker.contract.errors import RunError, one_line
from worker.contract.messages import VERSION
from worker.settings.fleet import Settings

#: What of the worker extra is looked for; whatever else is missing, the worker itself says at its start.
_LIBRARIES: Final = ("torch", "diffusers", "transformers")

#: Asks another Python.
_QUESTION: Final = f"""
import importlib.util, json
missing = [name for name in {_LIBRARIES} if importlib.util.find_spec(name) is None]
version = None
if importlib.util.find_spec("worker") and importlib.util.find_spec("producer"):
    from worker.contract.messages import VERSION as version
print(json.dumps([missing, version]))
"""

#: Seconds that it has to answer, which takes one of them at most.
_PATIENCE: Final = 60

_EXTRA: Final = "pip install '.[worker]'"


def worker_python(settings: Settings) -> str:
    """Return the path of the Python that workers run in.

    Raises:
        RunError: there is none there.

    """
    if (named := settings.worker_python) is None:
        return sys.executable
    path = named.expanduser()
    # A link of a virtual environment's is followed by Python itself, which would lose the environment.
    if shutil.which(path.absolute()) is None:
        raise RunError(f"FLEET_WORKER_PYTHON: {path} is no program; name bin/python of an environment.")
    return str(path.absolute())


def require_worker_extra(settings: Settings) -> None:
    """Make sure that workers on this machine would find what the model needs.

    Raises:
        RunError: it is not installed where they run.

    """
    python = worker_python(settings)
    if settings.worker_python is None:
        if missing := [name for name in _LIBRARIES if find_spec(name) is None]:
            raise RunError(
                f"{missing[0]} is not installed, which workers on this machine need: install the project with its"
                f" worker extra ({_EXTRA}), set FLEET_WORKER_PYTHON to bin/python of an environment that has it, or"
                " FLEET_BROKER_URL to the Redis of workers elsewhere."
            )
        return
    missing, version = _asked(python)
    if version is None:
        raise RunError(f"FLEET_WORKER_PYTHON: this project is not installed for {python}; install it there: {_EXTRA}.")
    if missing:
        raise RunError(
            f"FLEET_WORKER_PYTHON: {missing[0]} is not installed for {python}; install the project there with its"
            f" worker extra: {_EXTRA}."
        )
    if version != VERSION:
        raise RunError(
            f"FLEET_WORKER_PYTHON: {python} has another version of this project, which does not understand this one's"
            " rows; install the same there."
        )


def _asked(python: str) -> Any:
    """Return what is missing in another Python, and the version of the messages that it understands; None: none.

    Raises:
        RunError: it does not answer.

    """
    # As workers are started: what lies in the current folder is no module of theirs.
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own Python
            [python, "-c", _QUESTION], env=environment, capture_output=True, text=True, check=True, timeout=_PATIENCE
        )
        return json.loads(answer.stdout.splitlines()[-1])
    except subprocess.CalledProcessError as error:
        said = one_line((error.stderr.strip() or "no word").splitlines()[-1])
        raise RunError(f"FLEET_WORKER_PYTHON: {python} cannot run workers ({said}).") from None
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError) as error:
        raise RunError(f"FLEET_WORKER_PYTHON: {python} is no Python that runs ({one_line(error)}).") from None
