"""`producer collect`: follows a run and writes its output."""

from pathlib import Path

import click

from producer.collecting.alike import Alike
from producer.collecting.collector import Collector
from producer.collecting.display import display
from producer.collecting.failing import Most
from producer.collecting.fleet import NoWorkerNotice
from producer.commands.failing import ended_by_failures, max_failed_option
from producer.commands.finishing import finish
from producer.commands.options import NamedPath, broker_option, quiet_option
from producer.commands.terminal import FOLDER, say, stderr
from producer.run import opening
from producer.run.failures import broker_errors
from producer.run.preconditions import require_broker, require_sent, require_wanted


@click.command("collect")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--output", type=NamedPath(), metavar="FILE", help="Output jsonl [default: the run's own].")
@click.option("--no-wait", is_flag=True, help="Write what is there now; exit code 4 if rows are unanswered.")
@max_failed_option
@quiet_option
@broker_option
def collect_command(
    folder: Path, *, output: Path | None, no_wait: bool, max_failed: Most | None, quiet: bool, broker_url: str | None
) -> None:
    """Follow the run in DIR, then write its output jsonl, in the input's order."""
    with (
        opening.reopen(folder, "collect", output=output, broker_url=broker_url, say=say) as run,
        broker_errors(run.settings),
    ):
        if run.ledger.unanswered:  # a finished run needs no Redis
            require_broker(run.settings, say)
        with (
            display(stderr, say, quiet=quiet) as report,
            ended_by_failures(run, max_failed, report, resumes=False) as failing,
        ):
            collector = Collector(run, Alike(report, say), failing=failing)
            status = collector.drain()
            if status.waiting and not no_wait:
                require_wanted(run)
                require_sent(run)
                status = collector.follow(NoWorkerNotice(run.settings, say))
        finish(run, status, complete=not no_wait)
