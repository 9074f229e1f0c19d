"""The workers of one `producer run`, and the Flower that shows what they do."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from producer.collecting.progress import Status
from producer.local.flower import Flower
from producer.local.workers import LocalWorkers
from producer.sending.foresight import Foresight
from worker.contract.messages import EditRequest, Outcome
from worker.settings.fleet import Settings


class LocalCrew:
    """Workers on this machine that are started for one run, and stopped after it."""

    def __init__(self, settings: Settings, workers: LocalWorkers, flower: Flower) -> None:
        self._workers = workers
        self._flower = flower
        self._foresight = Foresight(settings)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Stop at its end what was started, Flower last: it sees the workers end."""
        with self._flower, self._workers:
            yield

    def start(self, watch: Callable[[], None]) -> None:
        """Start one worker per device, and Flower, unless they were."""
        self._flower.start()
        self._workers.start()
        self._flower.announce(watch)

    def make_ready(self, watch: Callable[[], None], tell: Callable[[str], None]) -> None:
        """Start them, and wait until one has loaded its model.

        Raises:
            RunError: one has ended instead.

        """
        self.start(watch)
        self._workers.wait_until_ready(watch, tell)

    def check(self, status: Status) -> None:
        """Start those again that had been ready and have ended.

        Raises:
            RunError: one has ended before it was ever ready, or none is left.

        """
        self._workers.check(status)

    def foresee(self, requests: Sequence[EditRequest]) -> Sequence[Outcome]:
        """Return the outcomes of the first rows that cannot be edited, so that no model is loaded for them."""
        return self._foresight(requests)
