"""An open run: its folder, ledger, settings, and the Redis that carries it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kombu.utils.url import maybe_sanitize_url

from producer.failures import broker_errors, folder_errors, ledger_errors
from producer.ledger import LEDGER, Ledger
from producer.lock import locked
from producer.memory import claim, remember, remembered
from producer.records import State
from producer.rows import RowParser
from producer.source import Source
from worker.errors import RunError, SettingsError
from worker.notes import RunNotes
from worker.outcomes import OutcomeStream, open_redis
from worker.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run that this process owns."""

    #: As the user named it; the output rows show paths below it.
    folder: Path
    source: Source
    settings: Settings
    ledger: Ledger
    stream: OutcomeStream
    notes: RunNotes

    @property
    def output_path(self) -> Path:
        """Where the output jsonl goes."""
        return self.settings.output or self.folder / "output.jsonl"

    @property
    def parser(self) -> RowParser:
        """What turns the lines of its input into rows."""
        return RowParser(self.settings, run=self.ledger.run, base=self.source.base, run_dir=self.folder)


@contextmanager
def create(source: Source, folder: Path, settings: Settings, command: str) -> Iterator[Run]:
    """Open the run of an input, making its folder where there is none.

    Raises:
        RunError: the folder cannot be written, belongs to another input, or is in use.

    """
    with ExitStack() as stack:
        with folder_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            ledger = _own(folder, command, stack)
            claimed = claim(folder, ledger, source)
            if settings.output is not None:
                settings = settings.model_copy(update={"output": settings.output.absolute()})
            run = _run(folder, claimed, settings, ledger)
            remember(folder, ledger, source, settings)
        with ledger_errors(folder):
            yield run


@contextmanager
def reopen(folder: Path, command: str, *, output: Path | None = None, broker_url: str | None = None) -> Iterator[Run]:
    """Open a run that was submitted before, with the settings that its folder remembers.

    Raises:
        RunError: the folder holds no run, or is in use.

    """
    require(folder)
    with ExitStack() as stack:
        with folder_errors(folder):
            ledger = _own(folder, command, stack)
            source, settings = remembered(folder, ledger, broker_url=broker_url)
            if output is not None:
                settings = settings.model_copy(update={"output": output})
        with ledger_errors(folder):
            yield _run(folder, source, settings, ledger)


def require(folder: Path) -> None:
    """Make sure that a folder holds a run.

    Raises:
        RunError: it does not.

    """
    if not (folder / LEDGER).is_file():
        raise RunError(
            f"The folder {folder} holds no run; begin one with `producer submit INPUT.jsonl --run-dir {folder}`."
        )


def require_broker(settings: Settings) -> None:
    """Make sure that the broker answers, so that a wrong address is said at once and not after a minute.

    Raises:
        RunError: it does not; the sentence names it.

    """
    with broker_errors(settings):
        open_redis(settings.broker, patience=0).ping()


def require_sent(run: Run) -> None:
    """Make sure that every unanswered row was sent to this very Redis, so that waiting for answers has an end.

    Raises:
        RunError: rows were never sent, or Redis came back empty, or it is another one.

    """
    states = run.ledger.states()
    lost = run.stream.status() is None
    if rows := states[State.NOTED] + (states[State.SENT] if lost else 0):
        raise RunError(
            f"{rows} rows of the run {run.folder} are not in Redis at {maybe_sanitize_url(run.settings.broker)};"
            " send them with the same `producer submit` again."
        )


def _own(folder: Path, command: str, stack: ExitStack) -> Ledger:
    stack.enter_context(locked(folder, command))
    return stack.enter_context(Ledger(folder))


def _run(folder: Path, source: Source, settings: Settings, ledger: Ledger) -> Run:
    # An outage in the middle of a run is borne for a minute.
    client = open_redis(settings.broker, patience=60)
    run = Run(
        folder=folder,
        source=source,
        settings=settings,
        ledger=ledger,
        stream=OutcomeStream(client, ledger.run),
        notes=RunNotes(client, ledger.run),
    )
    _require_free(run.output_path, run)
    return run


def _require_free(output: Path, run: Run) -> None:
    """Make sure that writing the output destroys nothing.

    Raises:
        SettingsError: it would; names what.

    """
    target = output.resolve()
    for taken in (run.source.path, run.ledger.path):
        if target == taken.resolve():
            raise SettingsError(f"FLEET_OUTPUT: the output would overwrite {taken}; name another file.")
    if target.exists() and not target.is_file():
        raise SettingsError(f"FLEET_OUTPUT: {output} is a folder or a device; name a file.")
    if target.parent.parent == run.folder.resolve() and target.parent.name.startswith("sample_"):
        raise SettingsError(f"FLEET_OUTPUT: {target.parent} is for the images of a row; name another file.")
