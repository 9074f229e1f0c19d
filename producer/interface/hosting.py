"""A program as the host of its runs."""

import logging
from pathlib import Path

from producer.collecting.display import Display
from producer.collecting.failing import Most
from producer.conducting.host import Host, Say
from producer.interface.progress import Progress, shown
from producer.sending.plan import Plan
from producer.sending.plan_words import in_words, would_be_lost
from worker.contract.errors import RunError, SettingsError

_LOGGER = logging.getLogger("producer")


def log(sentence: str) -> None:
    """Say something where a library does: in the log named "producer"."""
    _LOGGER.info("%s", sentence)


def host(
    name: str,
    *,
    say: Say,
    progress: Progress,
    redo: bool = False,
    max_failed: int | str | None = None,
    waits: bool = False,
) -> Host:
    """Return the host of a run.

    Raises:
        SettingsError: a value is none that there is.

    """
    return Host(
        name=f"producer.{name}",
        say=say,
        show=shown(progress, say),
        agree=lambda plan: _agree(plan, say, redo=redo),
        goes_on=lambda display, sentence: _goes_on(display, say, sentence),
        max_failed=_most(max_failed),
        max_failed_name="max_failed =",
        waits=waits,
    )


def folder_of(run_dir: object) -> Path:
    """Return a run folder as it was named.

    Raises:
        SettingsError: that is no path.

    """
    try:
        folder = Path(run_dir)  # type: ignore[arg-type] # it says so itself
    except TypeError:
        raise SettingsError(f"run_dir is the path of a folder; found {run_dir!r:.80}.") from None
    if not str(run_dir):
        raise SettingsError("run_dir is empty; name a folder.")
    return folder


def _most(max_failed: int | str | None) -> Most | None:
    try:
        return None if max_failed is None else Most.parse(str(max_failed))
    except ValueError as error:
        raise SettingsError(f"max_failed {error}.") from None


def _agree(found: Plan, say: Say, *, redo: bool) -> None:
    say(in_words(found))
    if found.lost and not redo:
        raise RunError(would_be_lost(found, redo="redo=True", another="run_dir"))


def _goes_on(_: Display, say: Say, sentence: str) -> bool:
    say(f"{sentence} The run goes on; with max_failed it would end.")
    return True
