"""What `producer check` has found: counts, errors, buckets, and the GPU time that its rows will take."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from producer.checking.arithmetic import Arithmetic, Rate
from producer.collecting.progress import Status
from producer.rows.parser import Row
from producer.rows.remarks import Remarks
from producer.run.rates import passes_of
from worker.contract.buckets import Bucket
from worker.contract.counting import counted
from worker.contract.row_warnings import RowWarning
from worker.settings.fleet import Settings


class _Error(NamedTuple):
    line: int
    row: int
    error: str


class Report:
    """Counts rows by what becomes of them."""

    def __init__(
        self, settings: Settings, rates: Mapping[Bucket, float], rate: Rate, *, base: Path, keep_errors: bool
    ) -> None:
        """`rates`: seconds per pixel, image and step, as measured; `rate`: what counts where there are none.

        `base`: the folder in which the input's paths begin. Errors of millions of bad rows are kept only if asked for.
        """
        self._settings = settings
        self._rates = rates
        self._rate = rate
        self._arithmetic = Arithmetic(settings)
        self._keep_errors = keep_errors
        #: Whether it is known how long the instructions are.
        self.instructions_measured = False
        self._remarks = Remarks(settings, base)
        self._warnings: Counter[RowWarning] = Counter()
        self.good = 0
        self.bad = 0
        self.kept = 0
        self._errors: list[_Error] = []
        self.buckets: Counter[Bucket] = Counter()
        #: Images to make.
        self.images = 0
        #: Images times steps, by bucket: what the GPU's time is proportional to.
        self._work: Counter[Bucket] = Counter()
        #: Operations of the transformer, where its size is known.
        self._operations = 0.0

    def add(
        self,
        row: Row,
        bucket: Bucket | None,
        error: str | None,
        warnings: Iterable[RowWarning] = (),
        pictures: Sequence[Bucket] = (),
    ) -> None:
        """Take note of a row: of its bucket, or its error, or (neither) that it came with its output.

        `warnings`: beside the row's own, what its pictures and its instruction give cause to say. `pictures`: the sizes
        of what the model is given, the one that is edited first.
        """
        self._remarks.add(row)
        self._warnings.update({*row.warnings, *warnings})
        if error is not None:
            self.bad += 1
            if self._keep_errors:
                self._errors.append(_Error(row.line.number, row.line.row, error))
        elif bucket is None or row.request is None:
            self.kept += 1
        else:
            self.good += 1
            self.buckets[bucket] += 1
            self.images += len(row.request.prompts) * row.request.num_images
            self._work[bucket] += passes_of(row.request, self._settings.spec)
            self._operations += self._arithmetic.work(row.request, bucket, pictures)

    @property
    def rows(self) -> int:
        """All rows."""
        return self.good + self.kept + self.bad

    def progress(self, total: int) -> Status:
        """Return how far the reading is."""
        return Status(
            total=total,
            done=self.good,
            failed=self.bad,
            kept=self.kept,
            waiting=total - self.rows,
            rows_per_s=0.0,
        )

    @property
    def gpu_seconds(self) -> float | None:
        """The GPU time of all good rows, as measured, or else by their arithmetic; None where neither is known."""
        if not self._rates:
            return self._operations / (1e12 * self._rate.tflops) if self._arithmetic.is_known else None
        usual = median(self._rates.values())
        return sum(
            work * bucket.width * bucket.height * self._rates.get(bucket, usual) for bucket, work in self._work.items()
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return {
            "rows": self.rows,
            "good": self.good,
            "bad": self.bad,
            "kept": self.kept,
            "kept_absent": self._remarks.kept_absent,
            "images": self.images,
            "instructions_measured": self.instructions_measured,
            "warnings": {kind.value: n for kind in RowWarning if (n := self._warnings[kind])},
            "buckets": {str(bucket): rows for bucket, rows in self.buckets.most_common()},
            "gpu_seconds": None if (seconds := self.gpu_seconds) is None else round(seconds, 3),
            "gpu_seconds_by": None if seconds is None else "run" if self._rates else self._rate.by,
            "tflops": None if seconds is None or self._rates else self._rate.tflops,
            "pflop": round(self._operations / 1e15, 3) if self._arithmetic.is_known else None,
            "errors": [error._asdict() for error in self._errors],
        }

    def as_text(self) -> str:
        """Return the report for people, without the errors."""
        kept = f", {self.kept} with their output already" if self.kept else ""
        lines = [f"{counted(self.rows, 'row')}: {self.good} good, {self.bad} bad{kept}"]
        most = max(self.buckets.values(), default=0)
        for bucket, rows in self.buckets.most_common():
            lines.append(f"{bucket!s:>11} {rows:>9} {'█' * max(1, round(40 * rows / most))}")
        lines += self._remarks.sentences(self._warnings)
        if self.images and not self.instructions_measured:
            lines.append(
                f"How long the instructions are is not known: the tokenizer of {self._settings.model} is not on this"
                " machine. Workers say it of each row."
            )
        return "\n".join([*lines, self._time_in_words()] if self.images else lines)

    def _time_in_words(self) -> str:
        images = f"GPU time for {counted(self.images, 'image')}"
        if (taken := self.gpu_seconds) is None:
            return f"{images}: not known before some rows are edited (--timed-by names a run of this model)."
        minutes, seconds = divmod(round(taken), 60)
        hours, minutes = divmod(minutes, 60)
        time = f"about {hours} h {minutes:02} min {seconds:02} s"
        if self._rates:
            return f"{images}, as measured: {time}."
        return (
            f"{images}: {time} at {self._rate.tflops:g} TFLOP/s ({self._rate.words}) for {self._operations / 1e15:.4g}"
            " PFLOP; --tflops names another rate, --timed-by a run that measured it."
        )
