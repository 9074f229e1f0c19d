"""`producer models` lists what can be edited with."""

import json

from click.testing import CliRunner

from producer.commands.cli import main
from worker.contract.catalog import MODELS, listed


def test_the_table_has_every_model_that_is_no_test() -> None:
    """Each weights that are known have a line, with licence and steps; with --all those of tests, too."""
    said = CliRunner().invoke(main, ["models"]).output.splitlines()
    ids = [one.hub_id for spec in MODELS.values() for one in spec.checkpoints]
    assert [line.split()[0] for line in said if line[0] != " "] == ["model", *listed()]
    assert all(sum(f" {hub_id} " in line for line in said) == 1 for hub_id in ids)
    (kontext,) = (line for line in said if line.startswith("FLUX-Kontext "))
    assert "Non-Commercial  33.7  imageedit text2image     28  3.5, embedded" in kontext
    every = CliRunner().invoke(main, ["models", "--all"]).output
    assert {name for name in MODELS if f"\n{name} " in every} == set(MODELS)


def test_json_has_a_line_for_each() -> None:
    """What nobody has measured is null."""
    lines = [json.loads(line) for line in CliRunner().invoke(main, ["models", "--json"]).output.splitlines()]
    assert [line["name"] for line in lines] == listed()
    (kontext,) = lines[0]["checkpoints"]
    assert kontext["hub_id"] == "black-forest-labs/FLUX.1-Kontext-dev"
    assert (kontext["pflop"], kontext["seconds"], kontext["gpu_gib"]) == (4.63, None, None)
    assert "1024x1024" in lines[0]["buckets"]
