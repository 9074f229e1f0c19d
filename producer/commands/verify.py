"""`producer verify`: whether every finished row has its pictures."""

import json
import sys
from pathlib import Path
from typing import Final

import click

from producer.checking.verify import Damage, verify
from producer.commands.exit_codes import SOME_UNANSWERED
from producer.commands.terminal import FOLDER, counted_bar, say, stderr
from producer.run import opening
from producer.run.records import State
from worker.contract.counting import counted

#: Damages that are printed where not all are asked for.
_SHOWN: Final = 20


@click.command("verify")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--fast", is_flag=True, help="Only whether the files are there and hold anything, without decoding them.")
@click.option("--all", "every", is_flag=True, help=f"Print every row without its picture, not only the first {_SHOWN}.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def verify_command(folder: Path, *, fast: bool, every: bool, as_json: bool) -> None:
    """Look at every picture of the run in DIR: decode it, and compare it with its row; exit code 4 if one is missing.

    Rows whose pictures are gone or damaged count as not done from then on, so that the same `producer run`, or
    `producer submit`, makes them again.
    """
    damages: list[Damage] = []
    with opening.reopen(folder, "producer verify", say=say) as run:
        run.require_pictures()
        total = run.ledger.states()[State.DONE]
        with counted_bar(stderr, total) as progress:
            seen = verify(run.place, run.ledger, fast=fast, found=damages.append, progress=progress)
        run.ledger.undo(damage.row for damage in damages)
    if as_json:
        click.echo(json.dumps({"verified": seen, "damaged": [damage._asdict() for damage in damages]}))
    else:
        for damage in damages if every else damages[:_SHOWN]:
            click.echo(f"row {damage.row}: {run.pictures}/{damage.path} {damage.what}")
        if (more := len(damages) - _SHOWN) > 0 and not every:
            click.echo(f"… and {more} more; --all prints every one.")
    if not damages:
        say("The finished row has its pictures." if seen == 1 else f"All {seen} finished rows have their pictures.")
        return
    lack, count = ("lacks", "counts") if len(damages) == 1 else ("lack", "count")
    which = f"{len(damages)} of {counted(seen, 'finished row')}"
    say(f"{which} {lack} a picture, and {count} as not done; {how_to_edit(folder)}")
    sys.exit(SOME_UNANSWERED)


def how_to_edit(folder: Path) -> str:
    """Say how rows that count as not done are edited."""
    return (
        f"the same `producer run` edits them, and so does `producer submit`, or `producer retry {folder}`, on a fleet."
    )
