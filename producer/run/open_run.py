"""An open run: its folder, ledger, settings, and the Redis that carries it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from producer.rows.parser import RowParser
from producer.rows.source import Source
from producer.run.failures import folder_errors
from producer.run.ledger import Ledger
from producer.run.output_place import require_free
from producer.run.pictures_claim import require_taken, take
from producer.run.queues import RunQueue
from producer.run.retrying import Retrying
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


def run_of(folder: Path, source: Source, settings: Settings, ledger: Ledger, retrying: Retrying) -> Run:
    """Return the run of a ledger; connections to Redis are made on first use.

    Raises:
        SettingsError: its output would destroy something.

    """
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
