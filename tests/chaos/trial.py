"""Two runs at once, twice, by the same fleet: in peace, and then under faults; and what there is to say of it."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import evidence
from tests.chaos.fleet import Fleet, running_fleet
from tests.chaos.following import Following, following
from tests.chaos.rows import write_rows
from tests.chaos.runs import Runs
from tests.chaos.schedule import Planned, plan
from tests.chaos.storm import Storm
from tests.chaos.verdict import Verdict, judge, settle
from tests.chaos.watching import watch
from tests.support.workers import StartWorker, start_worker
from worker.contract.parameters import DEFAULT_PRIORITY


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is tried."""

    #: Of both runs; the one that the faults of commands strike has two thirds of them.
    rows: int = 400
    faults: int = 24
    seed: int = 1
    workers: int = 3
    #: Denoising steps: how much work a row is.
    steps: int = 8
    visibility_timeout: int = 4
    #: Enough for full batches of two shapes, besides one that is on the GPU; most rows are in Redis.
    rows_in_flight: int = 12

    #: Parts in which the rows are sent: the submission waits for room, and collects meanwhile, until the last is sent.
    parts: int = 3
    #: How workers are started: a user's way, by default, since the table tells how long recovering takes.
    start: StartWorker = start_worker

    @property
    def first(self) -> int:
        """Rows of the first run."""
        return self.rows - self.rows // 3

    @property
    def window(self) -> int:
        """Most unanswered rows of the first run in Redis."""
        return -(-self.first // self.parts)

    @property
    def schedule(self) -> list[Planned]:
        """What strikes when."""
        return plan(seed=self.seed, rows=self.first, faults=self.faults, switch=(self.parts - 1) * self.window)

    def run(self, folder: Path, say: Callable[[str], None]) -> Verdict:
        """Try it; everything that tells of it stays in `folder`, which what is raised names."""
        sources = [write_rows(folder, self.first), write_rows(folder / "beside", self.rows - self.first)]
        settings = {
            "visibility_timeout": self.visibility_timeout,
            "rows_in_flight": self.rows_in_flight,
            "save_interval": 2,  # so that the ledger tells soon how many rows are answered
        }
        try:
            with running_fleet(folder, workers=self.workers, settings=settings, start=self.start) as fleet:
                return self._with(fleet, sources, say)
        except AssertionError as error:
            raise AssertionError(f"{error}; everything that tells of it is in {folder}") from error

    def _with(self, fleet: Fleet, sources: Sequence[Path], say: Callable[[str], None]) -> Verdict:
        say(f"{self.rows} rows of two runs without faults")
        with ExitStack() as stack:
            peace = self._begin(stack, fleet, sources, "reference")
            runs = Runs(peace)
            watch([fleet, runs], lambda: runs.finished, "the runs without faults", limit=600)
        say(f"the same rows with {self.faults} faults")
        with ExitStack() as stack:
            war = self._begin(stack, fleet, sources, "run")
            storm = Storm(fleet, Runs(war), seed=self.seed, say=say)
            try:
                storm.blow(self.schedule)
                settle(fleet)
            finally:
                for run in war:
                    evidence.write(fleet, run)
        return judge(fleet, peace, war, storm.faults)

    def _begin(self, stack: ExitStack, fleet: Fleet, sources: Sequence[Path], name: str) -> list[Following]:
        """Begin both runs; the smaller one has half the turns, and so it goes on beside the other to its end."""
        parts = [(sources[0], self.window, DEFAULT_PRIORITY), (sources[1], self.rows, DEFAULT_PRIORITY - 1)]
        return [
            stack.enter_context(
                following(
                    source,
                    name,
                    options=["--steps", self.steps, "--seed", self.seed, "--max-queued", most, "--priority", priority],
                    settings=fleet.settings,
                    redis_answers=fleet.server.answers,
                )
            )
            for source, most, priority in parts
        ]
