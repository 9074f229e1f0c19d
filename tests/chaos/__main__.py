"""`python -m tests.chaos`: a run under faults, and a table of what each has cost; 1 where a promise was broken."""

import sys
import time
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import click

from tests.chaos.report import environment, summary, table
from tests.chaos.trial import Trial
from tests.chaos.verdict import Verdict


class _Seeds(click.ParamType):
    name = "seeds"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        """Read one number as a count, and several as the seeds themselves."""
        try:
            numbers = [int(word) for word in value.replace(",", " ").split()]
        except ValueError:
            self.fail(f"{value!r} is no list of numbers", param, ctx)
        seeds = [*range(1, numbers[0] + 1)] if len(numbers) == 1 else numbers
        if not seeds or len(set(seeds)) < len(seeds):
            self.fail(f"{value!r} names no seed, or one twice", param, ctx)
        return seeds


@click.command()
@click.option("--rows", default=Trial.rows, show_default=True)
@click.option("--faults", default=Trial.faults, show_default=True, help="In each seed's run.")
@click.option("--seed", default=Trial.seed, show_default=True, help="Of the schedule, and of the run.")
@click.option("--seeds", type=_Seeds(), help="Several, one after another: their count, or a list such as '1 2 5'.")
@click.option("--workers", default=Trial.workers, show_default=True)
@click.option("--steps", default=Trial.steps, show_default=True, help="Denoising steps: how much work a row is.")
def main(*, seed: int, seeds: list[int] | None, **given: int) -> None:
    """Edit rows in peace and under faults, and print the difference as a table."""
    trial = Trial(**given)
    every = seeds or [seed]
    # One that fails is no reason not to try the others.
    verdicts = [verdict for number in every if (verdict := _tried(replace(trial, seed=number))) is not None]
    if seeds:
        click.echo(f"\nAll seeds together:\n\n{table(*verdicts)}\n\n{summary(every, verdicts)}")
    if len(verdicts) < len(every) or any(verdict.complaints for verdict in verdicts):
        sys.exit(1)


def _tried(trial: Trial) -> Verdict | None:
    """Run a trial and print what came of it; None where it did not come to its end."""
    folder = Path(mkdtemp(prefix="fleet-chaos-"))
    begun = time.monotonic()
    try:
        verdict = trial.run(folder, lambda said: click.echo(said, err=True))
    except AssertionError as error:
        click.echo(f"Error: seed {trial.seed}: {error}", err=True)
        return None
    click.echo(f"{environment(trial)}; {time.monotonic() - begun:.0f} s\n\n{table(verdict)}\n")
    click.echo("\n".join(verdict.remarks), nl=True)
    if verdict.complaints:
        click.echo("\n".join([*verdict.complaints, f"Everything that tells of it is in {folder}."]), err=True)
    else:
        rmtree(folder)
    sys.stdout.flush()  # of many seeds each is told when it is over, also into a file
    return verdict


if __name__ == "__main__":
    main()
