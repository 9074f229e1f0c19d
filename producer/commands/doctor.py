"""`producer doctor`: whether a machine, its broker and its workers are fit for a run."""

import json
from pathlib import Path
from typing import Final

import click

from producer.commands.options import broker_option, model_options
from producer.commands.terminal import FOLDER
from producer.doctor.examination import examine, usual_role
from producer.doctor.finding import Finding, Role, Verdict
from worker.settings.fleet import load_settings

_COLOURS: Final = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.BROKEN: "red"}


@click.command("doctor")
@click.argument("folder", metavar="[DIR]", required=False, type=FOLDER)
@click.option(
    "--for",
    "named",
    type=click.Choice([role.value for role in Role]),
    help="What this machine is for; worker where torch is installed, else submit, if not named.",
)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@broker_option
@model_options
def doctor_command(folder: Path | None, *, named: str | None, as_json: bool, **given: str | None) -> None:
    """Look this machine, its broker and its workers over, one line each; exit code 1 if something is broken.

    Says what is there, and what to do. With DIR, a run's folder, also whether the run has room. Nothing is changed.
    """
    settings = load_settings(**given)
    role = usual_role() if named is None else Role(named)
    findings = examine(settings, role, folder)
    broken = sum(finding.verdict is Verdict.BROKEN for finding in findings)
    if as_json:
        click.echo(json.dumps({"for": role.value, "broken": broken, "findings": [one.as_dict() for one in findings]}))
    else:
        for finding in findings:
            click.echo(_coloured(finding))
    if broken:
        things = "1 thing is" if broken == 1 else f"{broken} things are"
        raise click.ClickException(f"{things} broken on a machine that is looked at --for {role}.")


def _coloured(finding: Finding) -> str:
    line = finding.as_text()
    word = len(finding.verdict.value)
    return click.style(line[:word], fg=_COLOURS[finding.verdict]) + line[word:]
