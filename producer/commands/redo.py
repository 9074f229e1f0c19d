"""`producer redo`: edits rows again that were answered before."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from producer.commands.terminal import FOLDER, say
from producer.commands.verify import how_to_edit
from producer.run import opening
from producer.sending.redo import Where, chosen, ranges, redo
from worker.contract.counting import counted


def _parsed(parse: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    def callback(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:
        try:
            return None if value is None else parse(value)
        except ValueError as error:
            raise click.BadParameter(f"{error}.", ctx, param) from None

    return callback


@click.command("redo")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--rows", metavar="7,12-20", callback=_parsed(ranges), help="Rows by their numbers: that of sample_7 is 7."
)
@click.option(
    "--where",
    metavar="FIELD~TEXT",
    callback=_parsed(Where.parse),
    help="Rows by what became of them: error, warning or worker, which holds (~) or is (=) a text.",
)
@click.option("--new-seed", is_flag=True, help="Edit each with another seed, which it keeps.")
@click.option("--dry-run", "only_plan", is_flag=True, help="Say how many rows that are, and change nothing.")
def redo_command(
    folder: Path, *, rows: list[range] | None, where: Where | None, new_seed: bool, only_plan: bool
) -> None:
    """Count answered rows of the run in DIR as not done, and drop their pictures, so that they are made again.

    Nothing is sent yet. Without --new-seed a picture comes out as it was, unless something else has changed, such as
    the model's weights.
    """
    if rows is None and where is None:
        raise click.UsageError("Name rows, with --rows or --where.")
    with opening.reopen(folder, "producer redo", say=say) as run:
        if only_plan:
            say(f"{counted(sum(1 for _ in chosen(run.ledger, rows, where)), 'row')} would be edited again.")
            return
        undone = redo(run, rows, where, new_seed=new_seed)
    seeds = ", each with a seed of its own" if new_seed else ""
    say(f"{counted(undone, 'row is', 'rows are')} to be edited again{seeds}; {how_to_edit(folder)}")
