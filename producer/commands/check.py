"""`producer check`: what is wrong with an input, without a GPU or a Redis."""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click

from producer.checking.arithmetic import rate_of
from producer.checking.check import check
from producer.checking.report import Report
from producer.collecting.display import display
from producer.commands.exit_codes import SOME_FAILED
from producer.commands.options import quiet_option, row_options
from producer.commands.terminal import (
    FOLDER,
    input_argument,
    run_folder,
    say,
    say_rounding,
    stderr,
    taken_input,
)
from producer.rows.beginning import begun
from producer.rows.source import is_stream
from producer.run.loras import require_loras
from producer.run.manifest import beginning_in
from producer.run.rates import known_from, measured_in
from worker.contract.buckets import Bucket
from worker.contract.catalog import checkpoint_of
from worker.settings.fleet import Settings, load_settings

#: Errors that are printed where not all are asked for: a file of another form has the same one in every line.
_SHOWN: Final = 20


@click.command("check")
@input_argument
@row_options
@click.option("--timed-by", type=FOLDER, metavar="DIR", help="A run whose measured seconds tell the GPU time.")
@click.option(
    "--tflops", type=click.IntRange(1), metavar="RATE",
    help="TFLOP/s that a GPU reaches with this model, by which its time follows from the rows' arithmetic.",
)  # fmt: skip
@click.option("--all", "every", is_flag=True, help=f"Print every error, not only the first {_SHOWN}.")
@quiet_option
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def check_command(
    named: Path, *, timed_by: Path | None, tflops: int | None, every: bool, quiet: bool, as_json: bool, **given: Any
) -> None:
    """Read INPUT.jsonl ("-": standard input) and its images, without a GPU or a Redis; exit code 3 if a row is bad.

    Prints the first errors (--all: every one), how many rows go to which bucket, and the GPU time that they will take:
    as a run of this input, or the one of --timed-by, has measured it, or else by their arithmetic at a rate.
    """
    if timed_by is not None and tflops is not None:
        raise click.UsageError("--timed-by and --tflops both tell the GPU time; name one of them.")
    settings = load_settings(**given)
    require_loras(settings)
    rates = _rates(named, timed_by, settings) if tflops is None else {}
    known = checkpoint_of(settings.weights)
    rate = rate_of(None if known is None else known[1], tflops)
    with (
        TemporaryDirectory() as folder,
        taken_input(named, Path(folder)) as taken,
        display(stderr, say, quiet=quiet) as progress,
    ):
        source = (
            begun(taken, settings, say)
            if is_stream(named)
            else beginning_in(run_folder(named, settings), taken, settings, say)
        )
        report = Report(settings, rates, rate, base=source.base, keep_errors=as_json)

        def say_error(error: str) -> None:
            if every or report.bad <= _SHOWN:
                click.echo(error, file=sys.stdout)  # as it is now: click's own way there would write into the bar

        check(source, report, settings, say_error=None if as_json else say_error, progress=progress)
    if as_json:
        click.echo(json.dumps(report.as_dict()))
    else:
        if (more := report.bad - _SHOWN) > 0 and not every:
            click.echo(f"… and {more} more error{'s' * (more > 1)}; --all prints every one.")
        click.echo(report.as_text())
        say_rounding(settings)
    sys.exit(SOME_FAILED if report.bad else 0)


def _rates(named: Path, timed_by: Path | None, settings: Settings) -> dict[Bucket, float]:
    if timed_by is not None:
        return measured_in(timed_by, settings)
    if is_stream(named) and settings.run_dir is None:
        return {}
    return known_from(run_folder(named, settings), settings)
