"""`--dry-run`: what a command would do with the rows of an input. No folder is made, nobody is waited for."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from producer.commands.hosting import show
from producer.commands.terminal import run_folder, say, taken_input
from producer.conducting.planning import plan
from producer.rows.beginning import begun
from producer.rows.parser import RowParser
from producer.run.failures import ledger_errors
from producer.run.ledger import LEDGER, Ledger
from producer.run.loras import require_loras
from producer.run.manifest import as_begun, beginning, claim
from producer.run.preconditions import is_gone
from producer.sending.plan import Plan
from producer.sending.plan_words import in_words
from worker.settings.fleet import Settings

dry_run_option = click.option(
    "--dry-run", "only_plan", is_flag=True, help="Say what would be done, and change nothing."
)
json_option = click.option("--json", "as_json", is_flag=True, help="With --dry-run: for scripts.")

#: Id of a run that is not there. No fingerprint depends on it.
_NO_RUN = "0" * 16


def dry_run(named: Path, settings: Settings, *, quiet: bool, as_json: bool) -> None:
    """Print what `producer submit` and `producer run` would do.

    Raises:
        RunError: the input cannot be read, or the run folder belongs to another.
        SettingsError: the run's folder is laid out otherwise, or a LoRA is not there.

    """
    require_loras(settings)
    folder = run_folder(named, settings)
    with TemporaryDirectory() as temporary, taken_input(named, Path(temporary)) as source:
        if not (folder / LEDGER).is_file():
            parser = RowParser(settings, run=_NO_RUN, base=begun(source, settings, say).base, run_dir=folder)
            found = plan(source, settings, None, parser, whole=True, is_gone=True, show=show(quiet=quiet))
            print_plan(found, as_json=as_json)
            return
        with ledger_errors(folder), Ledger(folder, read_only=True) as ledger:
            claim(folder, ledger, source)
            claimed = claim(folder, ledger, beginning(ledger, source, settings, say))
            settings = as_begun(folder, ledger, settings)
            parser = RowParser(settings, run=ledger.run, base=claimed.base, run_dir=folder, seed_of=ledger.seeds.of)
            gone = is_gone(ledger, settings)
            found = plan(source, settings, ledger, parser, whole=True, is_gone=gone, show=show(quiet=quiet))
            print_plan(found, as_json=as_json)


def print_plan(found: Plan, *, as_json: bool) -> None:
    """Print a plan as the result of a command that does nothing else."""
    click.echo(json.dumps(found.as_dict()) if as_json else in_words(found))
