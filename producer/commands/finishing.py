"""How a command that has collected a run ends: its last words, its exit code."""

import sys
from typing import NoReturn

import click

from producer.collecting.progress import Status
from producer.commands.exit_codes import SOME_FAILED, SOME_UNANSWERED
from producer.commands.terminal import say
from producer.conducting.summary import concluded
from producer.gallery.ending import at_the_end
from producer.run.open_run import Run
from producer.run.preconditions import changed_rows


def finish(run: Run, status: Status, *, complete: bool) -> NoReturn:
    """Write the output jsonl, say what came of the run, and exit; `complete`: no row may be left unanswered.

    Raises:
        RunError: it may not, and rows are: they were changed since they were sent.

    """
    summary = concluded(run, status)
    click.echo(summary.output)
    for sentence in summary.sentences:
        say(sentence)
    say(at_the_end(run.folder, status.total))
    if complete and summary.unanswered:
        raise changed_rows(run, summary.unanswered)
    sys.exit(SOME_UNANSWERED if summary.unanswered else SOME_FAILED if status.failed else 0)
