"""An open run: its folder, ledger, settings, and the Redis that carries it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from kombu.utils.url import maybe_sanitize_url

from producer.failures import broker_errors, folder_errors, ledger_errors
from producer.ledger import LEDGER, Ledger
from producer.lock import locked
from producer.records import State
from producer.rows import RowParser
from producer.source import Source
from worker.errors import RunError, SettingsError
from worker.outcomes import OutcomeStream, open_redis
from worker.settings import Settings, load_settings

#: Settings that belong to the run and are remembered in its folder; the broker is not, since it may hold a password.
_REMEMBERED = {
    "diffuser_model_name", "hf_model_name_or_path", "hf_revision", "input_image_key", "input_conversation_key",
    "input_edit_key", "output_image_key", "diffuser_num_inference_steps", "diffuser_guidance_scale", "seed",
    "num_images", "size", "multi_image", "image_format", "quality", "metadata", "output", "save_interval",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run that this process owns."""

    #: As the user named it; the output rows show paths below it.
    folder: Path
    source: Source
    settings: Settings
    ledger: Ledger
    stream: OutcomeStream

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
            source = _claim(folder, ledger, source)
            if settings.output is not None:
                settings = settings.model_copy(update={"output": settings.output.absolute()})
            _remember(ledger, settings)
        with ledger_errors(folder):
            yield _run(folder, source, settings, ledger)


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


def remembered(folder: Path, ledger: Ledger, *, broker_url: str | None = None) -> tuple[Source, Settings]:
    """Return a run's input and settings."""
    owner, path, given = ledger.get("input"), ledger.get("input_path"), ledger.get("settings")
    if owner is None or path is None or given is None:
        raise RunError(f"The run folder {folder} was never submitted; run `producer submit` first.")
    broker = broker_url or ledger.get("broker") or None
    base = Path(ledger.get("base") or Path(path).parent)
    source = Source(path=Path(path), base=base, resolved=None if owner == _STREAM else Path(owner))
    return source, load_settings(json.loads(given), broker_url=broker)


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


#: Owner of a run folder whose input came as a stream.
_STREAM = "standard input"


def _claim(folder: Path, ledger: Ledger, source: Source) -> Source:
    """Bind the folder to its input; return the input under the name that it was first given."""
    owner = _STREAM if source.resolved is None else str(source.resolved)
    bound = ledger.get("input")
    if bound not in {None, owner}:
        raise RunError(f"The run folder {folder} belongs to {bound}; name another with --run-dir.")
    source = source.kept_in(folder)
    if source.resolved is not None and (named := ledger.get("input_path")) is not None:
        # An input reached by another link must not change its images' paths.
        source = replace(source, path=Path(named), base=Path(named).parent)
    ledger.put("input", owner)
    ledger.put("input_path", str(source.path))
    ledger.put("base", str(source.base))
    return source


def _remember(ledger: Ledger, settings: Settings) -> None:
    # The model's own steps and guidance as numbers: the run's rows were sent with these, whatever is set later.
    exact = {"diffuser_num_inference_steps": settings.steps, "diffuser_guidance_scale": settings.guidance}
    ledger.put("settings", settings.model_copy(update=exact).model_dump_json(include=_REMEMBERED))
    # Only `producer run`'s own: a socket without a password, which `status` could not guess.
    own = settings.broker.startswith("redis+socket:") and settings.broker
    ledger.put("broker", own or "")


def _run(folder: Path, source: Source, settings: Settings, ledger: Ledger) -> Run:
    # An outage in the middle of a run is borne for a minute.
    stream = OutcomeStream(open_redis(settings.broker, patience=60), ledger.run)
    run = Run(folder=folder, source=source, settings=settings, ledger=ledger, stream=stream)
    for taken in (source.path, ledger.path):
        if run.output_path.resolve() == taken.resolve():
            raise SettingsError(f"FLEET_OUTPUT: the output would overwrite {taken}; name another file.")
    return run
