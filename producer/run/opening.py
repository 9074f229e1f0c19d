"""An open run: its folder, ledger, settings, and the Redis that carries it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

from producer.rows.parser import RowParser
from producer.rows.source import Source
from producer.run.failures import folder_errors, ledger_errors
from producer.run.ledger import LEDGER, Ledger
from producer.run.lock import locked
from producer.run.loras import require_loras
from producer.run.manifest import as_begun, beginning, claim, remember, remembered
from producer.run.output_place import require_form, require_free
from producer.run.pictures_claim import require_own, require_taken, take
from producer.run.queues import RunQueue
from producer.run.retrying import Retrying
from worker.contract.errors import RunError
from worker.contract.messages import all_queue_names
from worker.contract.outcomes import OutcomeStream, open_redis
from worker.contract.revocations import Revocations
from worker.contract.shared_parts import SharedParts
from worker.contract.sharing import SharedPart
from worker.pictures.places.choosing import place_of
from worker.pictures.places.place import Place
from worker.settings.fleet import Settings

#: Name of the output in the run folder, unless it is named.
OUTPUT: Final = Path("output.jsonl")


@dataclass(kw_only=True)
class Run:
    """A run that this process owns."""

    #: As the user named it; the output rows show paths below it.
    folder: Path
    #: What its rows are read from. Of a stream: this command's, and once it is remembered the run's own.
    source: Source
    settings: Settings
    ledger: Ledger
    stream: OutcomeStream
    revocations: Revocations
    queue: RunQueue
    shared_parts: SharedParts
    #: Through it goes everything that needs Redis.
    retrying: Retrying
    #: What makes this command's input and settings the run's own, and returns that input; None once it is done.
    takes_over: Callable[[], Source] | None = None

    def remember(self) -> None:
        """Make this command's input and settings the run's own: from here on it is another run than it was.

        Raises:
            RunError: the folder cannot be written, or the place of its pictures.

        """
        if self.takes_over is not None:
            if self.settings.pictures is not None:
                take(self.settings.pictures, self.ledger)
            with folder_errors(self.folder):
                self.source = self.takes_over()
            self.takes_over = None

    def require_pictures(self) -> None:
        """Make sure that what is not to be seen of its pictures is not there, before anything is made of that.

        Raises:
            RunError: their place at an object store is not the one that they were put to, or cannot be asked.

        """
        if self.settings.pictures is not None:
            require_taken(self.settings.pictures, self.ledger)

    @cached_property
    def shared(self) -> SharedPart:
        """What its rows share, but for those with parameters of their own."""
        return self.parser.shared

    def announce(self) -> bool:
        """Let workers find its queue and what its rows share: before rows come there, and while they are awaited.

        Return whether none could find the queue before.
        """
        self.shared_parts.put(self.shared.digest, self.shared.encode())
        return self.queue.announce()

    @property
    def pictures(self) -> str:
        """Where its pictures are, as the user named it: its folder, or a prefix at an object store."""
        return self.settings.pictures or str(self.folder)

    @cached_property
    def place(self) -> Place:
        """The same, to look at them."""
        return place_of(self.settings.pictures or str(self.folder.absolute()))

    @property
    def output_path(self) -> Path:
        """Where the output goes."""
        return self.settings.output or self.folder / OUTPUT

    @property
    def parser(self) -> RowParser:
        """What turns the lines of its input into rows."""
        return RowParser(
            self.settings,
            run=self.ledger.run,
            base=self.source.base,
            run_dir=self.folder,
            seed_of=self.ledger.seeds.of,
        )


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
            run = _run(folder, claimed, settings, ledger, Retrying(settings, say, watch=watch))
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
            yield _run(folder, source, settings, ledger, Retrying(settings, say, watch=watch))


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


def _run(folder: Path, source: Source, settings: Settings, ledger: Ledger, retrying: Retrying) -> Run:
    client = open_redis(settings.broker)
    run = Run(
        folder=folder,
        source=source,
        settings=settings,
        ledger=ledger,
        stream=OutcomeStream(client, ledger.run),
        revocations=Revocations(client, ledger.run),
        queue=RunQueue(
            client,
            settings.queue,
            ledger.run,
            others=all_queue_names(settings.model),
            priority=settings.priority,
        ),
        shared_parts=SharedParts(client, ledger.run),
        retrying=retrying,
    )
    require_free(run.output_path, taken=(run.source.path, run.ledger.path), folder=run.folder)
    return run
