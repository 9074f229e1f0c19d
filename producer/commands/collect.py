"""`producer collect`: follows a run and writes its output."""

from pathlib import Path
from typing import Any

import click

from producer.collecting.alike import Alike
from producer.collecting.collector import Collector
from producer.collecting.display import display
from producer.collecting.failing import Most
from producer.collecting.fleet import NoWorkerNotice
from producer.commands.failing import ended_by_failures, max_failed_option
from producer.commands.finishing import finish
from producer.commands.options import NamedPath, broker_option, output_images_option, quiet_option
from producer.commands.terminal import FOLDER, say, stderr
from producer.run import opening
from producer.run.failures import broker_errors
from producer.run.output_place import require_form
from producer.run.preconditions import require_broker, require_sent, require_wanted


@click.command("collect")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--output", type=NamedPath(), metavar="FILE", help="Output: a jsonl, .json or .parquet [default: the run's own]."
)
@output_images_option
@click.option("--no-wait", is_flag=True, help="Write what is there now; exit code 4 if rows are unanswered.")
@max_failed_option
@quiet_option
@broker_option
def collect_command(
    folder: Path, *, no_wait: bool, max_failed: Most | None, quiet: bool, broker_url: str | None, **instead: Any
) -> None:
    """Follow the run in DIR, then write its output, in the input's order."""
    given = {name: value for name, value in instead.items() if value is not None}
    with (
        opening.reopen(folder, "collect", broker_url=broker_url, say=say, **given) as run,
        broker_errors(run.settings),
    ):
        require_form(run.output_path, run.settings.output_images)
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
