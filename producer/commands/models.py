"""`producer models`: which models there are, and what each is."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

import click

from producer.commands.table import aligned
from worker.contract.catalog import MODELS
from worker.contract.model_spec import Checkpoint, ModelSpec

_HEADS: Final = (
    "model", "weights", "licence", "GB", "tasks", "steps", "guidance", "references", "profiles", "PFLOP/image",
    "GPU GiB", "s/image",
)  # fmt: skip

#: Shown in JSON as they are; the rest is another word for it, or the fleet's own affair.
_TOLD: Final = (
    "name", "family", "pipeline", "source", "multiple", "steps", "guidance", "guided", "tasks", "references", "tokens",
    "needs_cuda", "profile", "profiles", "hidden",
)  # fmt: skip


@click.command("models")
@click.option("--all", "every", is_flag=True, help="Those that are for tests alone, too.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: a line of JSON for each model.")
def models_command(*, every: bool, as_json: bool) -> None:
    """List the models that the fleet has: the names for --model, and the weights that are known of each.

    What a GPU needs in memory and in seconds stands there where it was measured.
    """
    specs = [spec for spec in MODELS.values() if every or not spec.hidden]
    lines = map(json.dumps, map(_as_dict, specs)) if as_json else _as_table(specs)
    for line in lines:
        click.echo(line)


def _as_dict(spec: ModelSpec) -> dict[str, Any]:
    return {
        **{name: getattr(spec, name) for name in _TOLD},
        "buckets": [str(bucket) for bucket in spec.buckets],
        "checkpoints": [asdict(one) for one in spec.checkpoints],
    }


def _as_table(specs: list[ModelSpec]) -> list[str]:
    return aligned([_HEADS, *(line for spec in specs for line in _lines(spec))])


def _lines(spec: ModelSpec) -> Iterator[list[str]]:
    guidance = "none" if spec.guided == "none" else f"{spec.guidance:g}, {spec.guided}"
    references = {0: "none", 1: "1 (or stitched)"}.get(spec.references, f"up to {spec.references}")
    facts = [" ".join(spec.tasks), str(spec.steps), guidance, references, " ".join(spec.profiles)]
    if not spec.checkpoints:
        made = "comes with this package" if spec.source == "package" else "random numbers"
        yield [spec.name, made, "Apache-2.0", "", *facts, "", "", ""]
    for number, checkpoint in enumerate(spec.checkpoints):
        # The first is what the name alone means.
        yield [spec.name if number == 0 else "", *_of(checkpoint, facts)]


def _of(checkpoint: Checkpoint, facts: list[str]) -> list[str]:
    measured = ("" if value is None else f"{value:g}" for value in (checkpoint.gpu_gib, checkpoint.seconds))
    size, work = f"{checkpoint.gigabytes:.1f}", f"{checkpoint.pflop:.2f}"
    return [checkpoint.hub_id, checkpoint.licence, size, *facts, work, *measured]
