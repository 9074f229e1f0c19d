"""What one call of a `Fleet` is about, made of what it was given."""

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final, NamedTuple

from producer.conducting.host import Host, Say
from producer.interface.hosting import folder_of, host
from producer.interface.parameters import RunParameters, settings_of
from producer.interface.progress import Progress
from worker.settings.fleet import Settings

#: What a run's host is told, by the names that a program has for it.
_OF_HOST: Final[Mapping[str, str]] = {"redo": "redo", "max_failed": "max_failed", "wait": "waits"}


class Asked(NamedTuple):
    """A run folder, and what is to be done with it."""

    folder: Path
    settings: Settings
    numbers: Iterable[int] | None
    host: Host


def asked(
    call: str,
    run_dir: str | PathLike[str],
    parameters: RunParameters,
    *,
    broker_url: str | None,
    say: Say,
    progress: Progress,
) -> Asked:
    """Return what a call, such as "Fleet.edit", is about.

    Raises:
        SettingsError: a parameter is wrong.

    """
    given: dict[str, Any] = {**parameters}
    numbers = given.pop("numbers", None)
    of_host = {theirs: given.pop(name) for name, theirs in _OF_HOST.items() if name in given}
    folder = folder_of(run_dir)
    settings = settings_of(given, run_dir=folder, broker_url=broker_url)
    return Asked(folder, settings, numbers, host(call, say=say, progress=progress, **of_host))
