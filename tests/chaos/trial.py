"""A run twice, by the same fleet: in peace, and then under faults; at the end, what there is to say of the second."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.chaos import evidence
from tests.chaos.fleet import Fleet, running_fleet
from tests.chaos.following import following
from tests.chaos.rows import write_rows
from tests.chaos.schedule import Planned, plan
from tests.chaos.storm import Storm
from tests.chaos.verdict import Verdict, judge, settle
from tests.chaos.watching import watch
from tests.support.workers import StartWorker, start_worker


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is tried."""

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
    def window(self) -> int:
        """Most unanswered rows in Redis."""
        return -(-self.rows // self.parts)

    @property
    def schedule(self) -> list[Planned]:
        """What strikes when."""
        return plan(seed=self.seed, rows=self.rows, faults=self.faults, switch=(self.parts - 1) * self.window)

    def run(self, folder: Path, say: Callable[[str], None]) -> Verdict:
        """Try it; everything that tells of it stays in `folder`, which what is raised names."""
        source = write_rows(folder, self.rows)
        settings = {
            "visibility_timeout": self.visibility_timeout,
            "rows_in_flight": self.rows_in_flight,
            "save_interval": 2,  # so that the ledger tells soon how many rows are answered
        }
        try:
            with running_fleet(folder, workers=self.workers, settings=settings, start=self.start) as fleet:
                return self._with(fleet, source, say)
        except AssertionError as error:
            raise AssertionError(f"{error}; everything that tells of it is in {folder}") from error

    def _with(self, fleet: Fleet, source: Path, say: Callable[[str], None]) -> Verdict:
        options = ["--steps", self.steps, "--seed", self.seed, "--max-queued", self.window]
        begin = partial(following, source, options=options, settings=fleet.settings, redis_answers=fleet.server.answers)
        say(f"{self.rows} rows without faults")
        with begin("reference") as peace:
            watch([fleet, peace], lambda: peace.finished, "the run without faults", limit=600)
        say(f"the same rows with {self.faults} faults")
        with begin("run") as war:
            storm = Storm(fleet, war, seed=self.seed, say=say)
            try:
                storm.blow(self.schedule)
                settle(fleet)
            finally:
                evidence.write(source.parent, fleet, war, rows=self.rows)
        return judge(fleet, peace, war, storm.faults, source=source)
