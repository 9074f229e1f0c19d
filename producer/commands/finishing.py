"""How a command that has collected a run ends: its output, its last words, its exit code."""

import sys
from typing import NoReturn

import click

from producer.collecting.output import write_output
from producer.collecting.progress import Status
from producer.commands.exit_codes import SOME_FAILED, SOME_UNANSWERED
from producer.commands.terminal import say
from producer.gallery.ending import at_the_end
from producer.run.opening import Run
from producer.run.preconditions import changed_rows


def finish(run: Run, status: Status, *, complete: bool) -> NoReturn:
    """Write the output jsonl, say what came of the run, and exit; `complete`: no row may be left unanswered.

    Raises:
        RunError: it may not, and rows are: they were changed since they were sent.

    """
    path = run.output_path
    unanswered, sentences = write_output(run, path)
    click.echo(path)
    kept = f", {status.kept} kept" if status.kept else ""
    say(f"{status.done} rows done, {status.failed} failed{kept}, {unanswered} unanswered; images in {run.folder}")
    for sentence in sentences:
        say(sentence)
    say(at_the_end(run.folder, status.total))
    if complete and unanswered:
        raise changed_rows(run, unanswered)
    sys.exit(SOME_UNANSWERED if unanswered else SOME_FAILED if status.failed else 0)
