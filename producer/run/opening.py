"""Opening runs: new ones, and those that were begun before; one owner at a time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from producer.rows.source import Source
from producer.run.failures import folder_errors, ledger_errors
from producer.run.ledger import LEDGER, Ledger
from producer.run.lock import locked
from producer.run.loras import require_loras
from producer.run.manifest import as_begun, beginning, claim, remember, remembered
from producer.run.open_run import OUTPUT, Run, run_of
from producer.run.output_place import require_form
from producer.run.pictures_claim import require_own
from producer.run.retrying import Retrying
from worker.contract.errors import RunError
from worker.settings.fleet import Settings


def _nothing(*_: object) -> None:
    pass


@contextmanager
def create(
    source: Source,
    folder: Path,
    settings: Settings,
    owner: str,
    *,
    say: Callable[[str], None] = _nothing,
    watch: Callable[[], None] = _nothing,
    waits: bool = False,
) -> Iterator[Run]:
    """Open the run of an input, making its folder where there is none; of one that is there nothing changes yet.

    `owner`: who says that the folder is in use, to others. `watch` is called while Redis is away, or the folder is in
    use and that is waited for (`waits`), and may raise to end the waiting.

    Raises:
        RunInUse: the folder is in use.
        RunError: the folder cannot be written, or belongs to another input.
        SettingsError: its rows are laid out otherwise, a LoRA is not there, or the output would destroy something.

    """
    require_loras(settings)
    with ExitStack() as stack:
        with folder_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            ledger = _own(folder, owner, stack, _waiting(folder, say, watch) if waits else None)
            claim(folder, ledger, source)  # before it is read: another's
            source = beginning(ledger, source, settings, say)
            claimed = claim(folder, ledger, source)
            settings = as_begun(folder, ledger, settings)
            if settings.pictures is not None:
                require_own(settings.pictures, ledger)
            if settings.output is not None:
                settings = settings.model_copy(update={"output": settings.output.absolute()})
            require_form(settings.output or OUTPUT, settings.output_images)
            run = run_of(folder, claimed, settings, ledger, Retrying(settings, say, watch=watch))
            run.source = replace(claimed, path=source.path) if source.resolved is None else claimed
            run.takes_over = partial(remember, folder, ledger, source, settings)
        with ledger_errors(folder):
            yield run


@contextmanager
def reopen(
    folder: Path,
    owner: str,
    *,
    broker_url: str | None = None,
    say: Callable[[str], None] = _nothing,
    watch: Callable[[], None] = _nothing,
    waits: bool = False,
    **instead: Any,
) -> Iterator[Run]:
    """Open a run that was submitted before, with the settings that its folder remembers, but for those `instead`.

    See `create`.

    Raises:
        RunInUse: the folder is in use.
        RunError: the folder holds no run.
        SettingsError: the output would destroy something.

    """
    require(folder)
    with ExitStack() as stack:
        with folder_errors(folder):
            ledger = _own(folder, owner, stack, _waiting(folder, say, watch) if waits else None)
            source, settings = remembered(folder, ledger, broker_url=broker_url)
            settings = settings.model_copy(update=instead)
        with ledger_errors(folder):
            yield run_of(folder, source, settings, ledger, Retrying(settings, say, watch=watch))


def require(folder: Path) -> None:
    """Make sure that a folder holds a run.

    Raises:
        RunError: it does not.

    """
    if folder.is_file():
        raise RunError(f"{folder} is a file; name the run's folder, as `producer submit` printed it.")
    if not folder.exists():
        raise RunError(f"There is no folder {folder}; name the run's, as `producer submit` printed it.")
    if not (folder / LEDGER).is_file():
        raise RunError(
            f"The folder {folder} holds no run; begin one with `producer submit INPUT.jsonl --run-dir {folder}`."
        )


def _own(folder: Path, owner: str, stack: ExitStack, wait: Callable[[str], None] | None) -> Ledger:
    stack.enter_context(locked(folder, owner, wait=wait))
    return stack.enter_context(Ledger(folder))


def _waiting(folder: Path, say: Callable[[str], None], watch: Callable[[], None]) -> Callable[[str], None]:
    """Return what says once of each owner that it is waited for."""
    told: set[str] = set()

    def wait(owner: str) -> None:
        watch()
        if owner not in told:
            told.add(owner)
            say(f"The run folder {folder} is in use by {owner}; waiting for it.")

    return wait
