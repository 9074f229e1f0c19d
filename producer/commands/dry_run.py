"""`--dry-run`: what a command would do with the rows of an input. No folder is made, nobody is waited for."""

from pathlib import Path
from tempfile import TemporaryDirectory

from producer.commands.planning import plan, show
from producer.commands.terminal import run_folder, say, taken_input
from producer.rows.beginning import begun
from producer.rows.parser import RowParser
from producer.run.failures import ledger_errors
from producer.run.ledger import LEDGER, Ledger
from producer.run.loras import require_loras
from producer.run.manifest import as_begun, beginning, claim
from producer.run.preconditions import is_gone
from worker.settings.fleet import Settings

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
            show(plan(source, settings, None, parser, whole=True, is_gone=True, quiet=quiet), as_json=as_json)
            return
        with ledger_errors(folder), Ledger(folder, read_only=True) as ledger:
            claim(folder, ledger, source)
            claimed = claim(folder, ledger, beginning(ledger, source, settings, say))
            settings = as_begun(folder, ledger, settings)
            parser = RowParser(settings, run=ledger.run, base=claimed.base, run_dir=folder, seed_of=ledger.seeds.of)
            gone = is_gone(ledger, settings)
            show(plan(source, settings, ledger, parser, whole=True, is_gone=gone, quiet=quiet), as_json=as_json)
