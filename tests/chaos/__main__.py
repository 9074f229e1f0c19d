"""`python -m tests.chaos`: a run under faults, and a table of what each has cost; 1 where a promise was broken."""

import sys
import time
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import click

from tests.chaos.report import environment, table
from tests.chaos.trial import Trial


@click.command()
@click.option("--rows", default=Trial.rows, show_default=True)
@click.option("--faults", default=Trial.faults, show_default=True)
@click.option("--seed", default=Trial.seed, show_default=True, help="Of the schedule, and of the run.")
@click.option("--workers", default=Trial.workers, show_default=True)
@click.option("--steps", default=Trial.steps, show_default=True, help="Denoising steps: how much work a row is.")
def main(**given: int) -> None:
    """Edit rows in peace and under faults, and print the difference as a table."""
    trial = Trial(**given)
    folder = Path(mkdtemp(prefix="fleet-chaos-"))
    begun = time.monotonic()
    try:
        verdict = trial.run(folder, lambda said: click.echo(said, err=True))
    except AssertionError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{environment(trial)}; {time.monotonic() - begun:.0f} s\n\n{table(verdict)}\n")
    click.echo("\n".join(verdict.remarks))
    if verdict.complaints:
        click.echo("\n".join([*verdict.complaints, f"Everything that tells of it is in {folder}."]), err=True)
        sys.exit(1)
    rmtree(folder)


if __name__ == "__main__":
    main()
