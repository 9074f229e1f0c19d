"""What came of a run, once its output is written."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from producer.collecting.causes import causes
from producer.collecting.output import write_output
from producer.collecting.progress import Status
from producer.run.open_run import Run
from worker.contract.counting import counted

#: Causes that are said at the end of a run.
_SHOWN: Final = 3


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The end of a run, or of a look at it."""

    #: Where its pictures and its ledger are.
    folder: Path
    #: The output that was written.
    output: Path
    status: Status
    #: Rows of the output without an answer.
    unanswered: int
    #: What there is to say of it, the counts first.
    sentences: tuple[str, ...]

    @property
    def done(self) -> int:
        """Rows that were edited."""
        return self.status.done

    @property
    def failed(self) -> int:
        """Rows that carry an error."""
        return self.status.failed

    @property
    def kept(self) -> int:
        """Rows that came with their output, and were left alone."""
        return self.status.kept


def concluded(run: Run, status: Status) -> Summary:
    """Write the output of a run with these counts, and sum it up.

    Raises:
        RunError: the output cannot be written.

    """
    path = run.output_path
    unanswered, remarks = write_output(run, path)
    sentences = [*_counts(run, status, unanswered), *_causes(run, status.failed), *remarks]
    return Summary(folder=run.folder, output=path, status=status, unanswered=unanswered, sentences=tuple(sentences))


def _counts(run: Run, status: Status, unanswered: int) -> Iterator[str]:
    kept = f", {status.kept} kept" if status.kept else ""
    done = counted(status.done, "row")
    yield f"{done} done, {status.failed} failed{kept}, {unanswered} unanswered; images in {run.pictures}"
    if status.gpu_seconds:
        each, per_s = status.gpu_seconds / max(1, status.images), status.images / status.gpu_seconds
        taken = f"{counted(status.images, 'image')} took {status.gpu_seconds:,.1f} s of the model's time"
        yield f"{taken}: {each:.2f} s each, {per_s:.2f} images/s per worker."


def _causes(run: Run, failed: int) -> Iterator[str]:
    """Say why rows have failed, the most frequent causes first."""
    if not failed:
        return
    found = causes(run.ledger)
    for cause in found[:_SHOWN]:
        yield f"{cause.rows} failed: {cause.cause} (such as row {cause.example.row})."
    others = f"{len(found) - _SHOWN} more causes, and each row: " if len(found) > _SHOWN else "Each of them: "
    yield f"{others}producer errors {run.folder} --by row"
