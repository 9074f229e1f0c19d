"""What `celery -A worker` takes: this project's worker, whatever is called so in the current folder.

Celery imports an app from the current folder first, where a `worker.py` of the user's own would take the place of ours.
But before that, it loads the commands that installed packages bring: so this one, `celery fleet`, imports the right one
as it is loaded.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Final

import click

_APP: Final = "worker"

#: The package beside this one, and so of the same install.
_OURS: Final = Path(__file__).absolute().parents[2] / _APP


@click.command("fleet")
def fleet_command() -> None:
    """Show the folder that `celery -A worker` takes its worker from."""
    click.echo(str(_OURS))


def named_app(arguments: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """Return the app that Celery was told to import."""
    app = environment.get("APP")
    for number, argument in enumerate(arguments, start=1):
        if argument in {"-A", "--app"}:
            app = next(iter(arguments[number:]), None)
        elif argument.startswith(("--app=", "-A")):
            app = argument.removeprefix("--app=").removeprefix("-A")
    return app


def stranger_in(folder: Path) -> Path | None:
    """Return what in a folder Celery would take for the app, and which is not ours; None where there is nothing."""
    for path in (folder / f"{_APP}.py", folder / _APP / "__init__.py"):
        if path.is_file() and not (_OURS.exists() and path.parent.samefile(_OURS)):
            return path
    return None


def take_ours() -> None:
    """Import our worker package, in the place of any other of its name."""
    known = sys.modules.get(_APP)
    if known is not None and str(_OURS) in [str(Path(path).absolute()) for path in getattr(known, "__path__", ())]:
        return
    spec = PathFinder.find_spec(_APP, [str(_OURS.parent)])
    if spec is None or spec.loader is None:  # then Celery's own sentence says what is wrong
        return
    sys.modules[_APP] = module = module_from_spec(spec)
    spec.loader.exec_module(module)


def _guard() -> None:
    # Another app of the same environment is nobody's business here.
    if (named_app(sys.argv[1:], os.environ) or "").partition(":")[0].partition(".")[0] != _APP:
        return
    take_ours()
    try:
        stranger = stranger_in(Path.cwd())
    except OSError:  # a folder that is gone, or closed
        return
    if stranger is not None:
        click.echo(f"{stranger} is passed over: -A {_APP} names the fleet's, {_OURS}.", err=True)


_guard()
