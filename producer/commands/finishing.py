"""How a command that has collected a run ends: its output, its last words, its exit code."""

import sys
from collections.abc import Iterator
from typing import Final, NoReturn

import click

from producer.collecting.causes import causes
from producer.collecting.output import write_output
from producer.collecting.progress import Status
from producer.commands.exit_codes import SOME_FAILED, SOME_UNANSWERED
from producer.commands.terminal import say
from producer.gallery.ending import at_the_end
from producer.run.opening import Run
from producer.run.preconditions import changed_rows
from worker.contract.counting import counted

#: Causes that are said at the end of a run.
_SHOWN: Final = 3


def finish(run: Run, status: Status, *, complete: bool) -> NoReturn:
    """Write the output jsonl, say what came of the run, and exit; `complete`: no row may be left unanswered.

    Raises:
        RunError: it may not, and rows are: they were changed since they were sent.

    """
    path = run.output_path
    unanswered, sentences = write_output(run, path)
    click.echo(path)
    kept = f", {status.kept} kept" if status.kept else ""
    done = counted(status.done, "row")
    say(f"{done} done, {status.failed} failed{kept}, {unanswered} unanswered; images in {run.folder}")
    if status.gpu_seconds:
        each, per_s = status.gpu_seconds / max(1, status.images), status.images / status.gpu_seconds
        taken = f"{counted(status.images, 'image')} took {status.gpu_seconds:,.1f} s of the model's time"
        say(f"{taken}: {each:.2f} s each, {per_s:.2f} images/s per worker.")
    for sentence in [*_causes(run, status.failed), *sentences]:
        say(sentence)
    say(at_the_end(run.folder, status.total))
    if complete and unanswered:
        raise changed_rows(run, unanswered)
    sys.exit(SOME_UNANSWERED if unanswered else SOME_FAILED if status.failed else 0)


def _causes(run: Run, failed: int) -> Iterator[str]:
    """Say why rows have failed, the most frequent causes first."""
    if not failed:
        return
    found = causes(run.ledger)
    for cause in found[:_SHOWN]:
        yield f"{cause.rows} failed: {cause.cause} (such as row {cause.example.row})."
    others = f"{len(found) - _SHOWN} more causes, and each row: " if len(found) > _SHOWN else "Each of them: "
    yield f"{others}producer errors {run.folder} --by row"
