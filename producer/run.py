"""An open run: its folder, ledger, settings, and the Redis that carries it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kombu.utils.url import maybe_sanitize_url

from producer.failures import broker_errors, folder_errors, ledger_errors
from producer.ledger import LEDGER, Ledger
from producer.lock import locked
from producer.records import State
from worker.errors import RunError, SettingsError
from worker.outcomes import OutcomeStream, open_redis
from worker.settings import Settings, load_settings

#: Settings that belong to the run and are remembered in its folder; the broker is not, since it may hold a password.
_REMEMBERED = {
    "diffuser_model_name", "hf_model_name_or_path", "hf_revision", "input_image_key", "input_conversation_key",
    "output_image_key", "diffuser_num_inference_steps", "diffuser_guidance_scale", "seed", "num_images", "size",
    "output",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run that this process owns."""

    #: As the user named it; the output rows show paths below it.
    folder: Path
    input_path: Path
    settings: Settings
    ledger: Ledger
    stream: OutcomeStream

    @property
    def output_path(self) -> Path:
        """Where the output jsonl goes."""
        return self.settings.output or self.folder / "output.jsonl"


@contextmanager
def create(input_path: Path, folder: Path, settings: Settings, command: str) -> Iterator[Run]:
    """Open the run of an input, making its folder where there is none.

    Raises:
        RunError: the folder cannot be written, belongs to another input, or is in use.

    """
    with ExitStack() as stack:
        with folder_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            ledger = _own(folder, command, stack)
            input_path = _claim(folder, ledger, input_path)
            if settings.output is not None:
                settings = settings.model_copy(update={"output": settings.output.absolute()})
            _remember(ledger, settings)
        with ledger_errors(folder):
            yield _run(folder, input_path, settings, ledger)


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
            input_path, settings = remembered(folder, ledger, broker_url=broker_url)
            if output is not None:
                settings = settings.model_copy(update={"output": output})
        with ledger_errors(folder):
            yield _run(folder, input_path, settings, ledger)


def require(folder: Path) -> None:
    """Make sure that a folder holds a run.

    Raises:
        RunError: it does not.

    """
    if not (folder / LEDGER).is_file():
        raise RunError(
            f"The folder {folder} holds no run; begin one with `producer submit INPUT.jsonl --run-dir {folder}`."
        )


def remembered(folder: Path, ledger: Ledger, *, broker_url: str | None = None) -> tuple[Path, Settings]:
    """Return a run's input and settings."""
    input_path, given = ledger.get("input_path"), ledger.get("settings")
    if input_path is None or given is None:
        raise RunError(f"The run folder {folder} was never submitted; run `producer submit` first.")
    broker = broker_url or ledger.get("broker") or None
    return Path(input_path), load_settings(json.loads(given), broker_url=broker)


def require_broker(settings: Settings) -> None:
    """Make sure that the broker answers, so that a wrong address is said at once and not after a minute.

    Raises:
        RunError: it does not; the sentence names it.

    """
    with broker_errors(settings):
        open_redis(settings.broker).ping()


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


def _claim(folder: Path, ledger: Ledger, input_path: Path) -> Path:
    """Bind the folder to its input; return the input's path as it was first named."""
    resolved = str(input_path.resolve())
    owner = ledger.get("input")
    if owner not in {None, resolved}:
        raise RunError(f"The run folder {folder} belongs to {owner}; name another with --run-dir.")
    # Under its first name: an input reached by another link must not change its images' paths.
    named = ledger.get("input_path") or str(input_path.absolute())
    ledger.put("input", resolved)
    ledger.put("input_path", named)
    return Path(named)


def _remember(ledger: Ledger, settings: Settings) -> None:
    # The model's own steps and guidance as numbers: the run's rows were sent with these, whatever is set later.
    exact = {"diffuser_num_inference_steps": settings.steps, "diffuser_guidance_scale": settings.guidance}
    ledger.put("settings", settings.model_copy(update=exact).model_dump_json(include=_REMEMBERED))
    # Only `producer run`'s own: a socket without a password, which `status` could not guess.
    own = settings.broker.startswith("redis+socket:") and settings.broker
    ledger.put("broker", own or "")


def _run(folder: Path, input_path: Path, settings: Settings, ledger: Ledger) -> Run:
    # An outage in the middle of a run is borne for a minute.
    stream = OutcomeStream(open_redis(settings.broker, patience=60), ledger.run)
    run = Run(folder=folder, input_path=input_path, settings=settings, ledger=ledger, stream=stream)
    for taken in (input_path, ledger.path):
        if run.output_path.resolve() == taken.resolve():
            raise SettingsError(f"FLEET_OUTPUT: the output would overwrite {taken}; name another file.")
    return run
