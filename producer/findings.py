"""What reading an input has found: counts, errors, buckets, and the GPU time that its rows will take."""

from collections import Counter
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from producer import run as runs
from producer.failures import ledger_errors
from producer.ledger import LEDGER, Ledger
from producer.progress import Status
from producer.records import State
from producer.remarks import Remarks
from producer.rows import Row
from worker.buckets import Bucket
from worker.contract import Outcome
from worker.errors import ContractError, RunError
from worker.settings import Settings

#: Rows of a run that tell its seconds: enough for a median, and read in a second.
_SAMPLE = 10_000


class _Error(NamedTuple):
    line: int
    row: int
    error: str


class Findings:
    """Counts rows by what becomes of them."""

    def __init__(self, settings: Settings, *, keep_errors: bool) -> None:
        """Errors are kept only where they are asked for: millions of bad rows need not stay in memory."""
        self._settings = settings
        self._keep_errors = keep_errors
        self._remarks = Remarks(settings)
        self.good = 0
        self.bad = 0
        self.kept = 0
        self._errors: list[_Error] = []
        self.buckets: Counter[Bucket] = Counter()
        #: Images to make.
        self.images = 0
        #: Images times steps, by bucket: what the GPU's time is proportional to.
        self._work: Counter[Bucket] = Counter()
        self.gpu_seconds: float | None = None

    def add(self, row: Row, bucket: Bucket | None, error: str | None) -> None:
        """Take note of a row: of its bucket, or its error, or (neither) that it came with its output."""
        self._remarks.add(row)
        if error is not None:
            self.bad += 1
            if self._keep_errors:
                self._errors.append(_Error(row.line.number, row.line.row, error))
        elif bucket is None or row.request is None:
            self.kept += 1
        else:
            self.good += 1
            self.buckets[bucket] += 1
            self.images += row.request.num_images
            # A negative prompt is a second pass of every step.
            passes = 2 if row.request.true_cfg_scale > 1 else 1
            self._work[bucket] += row.request.num_images * row.request.steps * passes

    @property
    def rows(self) -> int:
        """All rows."""
        return self.good + self.kept + self.bad

    def progress(self, total: int) -> Status:
        """Return how far the reading is."""
        return Status(
            total=total,
            done=self.good + self.kept,
            failed=self.bad,
            waiting=total - self.rows,
            rows_per_s=0.0,
        )

    def time(self, folder: Path, *, required: bool) -> None:
        """Estimate the GPU time by what the rows of the run in `folder` took.

        Raises:
            RunError: it must be known, and no row of this model was measured there.

        """
        rates = _seconds_per_pixel(folder, self._settings) if required or (folder / LEDGER).is_file() else {}
        if rates:
            usual = median(rates.values())
            self.gpu_seconds = sum(
                work * bucket.width * bucket.height * rates.get(bucket, usual) for bucket, work in self._work.items()
            )
        elif required:
            raise RunError(f"The run folder {folder} holds no row that {self._settings.model} edited; name another.")

    def as_dict(self) -> dict[str, Any]:
        """Return the findings for JSON."""
        return {
            "rows": self.rows,
            "good": self.good,
            "bad": self.bad,
            "kept": self.kept,
            "images": self.images,
            "more_images": self._remarks.more_images,
            "rounded_sizes": self._remarks.rounded_sizes,
            "buckets": {str(bucket): rows for bucket, rows in self.buckets.most_common()},
            "gpu_seconds": None if self.gpu_seconds is None else round(self.gpu_seconds, 3),
            "errors": [error._asdict() for error in self._errors],
        }

    def as_text(self) -> str:
        """Return the findings for people, without the errors."""
        kept = f", {self.kept} with their output already" if self.kept else ""
        lines = [f"{self.rows} rows: {self.good} good, {self.bad} bad{kept}"]
        most = max(self.buckets.values(), default=0)
        for bucket, rows in self.buckets.most_common():
            lines.append(f"{bucket!s:>11} {rows:>9} {'█' * max(1, round(40 * rows / most))}")
        return "\n".join([*lines, *self._remarks.sentences(), self._time_in_words()])

    def _time_in_words(self) -> str:
        if self.gpu_seconds is None:
            return (
                f"GPU time for {self.images} images: not known before some rows are edited"
                " (--timed-by names a run of this model)."
            )
        minutes, seconds = divmod(round(self.gpu_seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"GPU time for {self.images} images, as measured: about {hours} h {minutes:02} min {seconds:02} s."


def _seconds_per_pixel(folder: Path, settings: Settings) -> dict[Bucket, float]:
    """Return the median seconds of the model per image, step and pixel, by bucket, of a run of the same model."""
    runs.require(folder)
    measured: dict[Bucket, list[float]] = {}
    with ledger_errors(folder), Ledger(folder, read_only=True) as ledger:
        _, theirs = runs.remembered(folder, ledger)
        if theirs.model != settings.model:
            return {}
        for record in islice((record for record in ledger.records() if record.state is State.DONE), _SAMPLE):
            try:
                outcome = Outcome.decode(record.outcome or "")
            except ContractError:  # of another version
                continue
            # A row that was recognised as finished rode in no batch.
            if outcome.bucket and outcome.batch_size and outcome.steps and outcome.paths:
                bucket = Bucket(*outcome.bucket)
                work = outcome.batch_size * len(outcome.paths) * outcome.steps * bucket.width * bucket.height
                measured.setdefault(bucket, []).append(outcome.seconds["model"] / work)
    return {bucket: median(rates) for bucket, rates in measured.items()}
