"""What the user reads is what there is."""

from pathlib import Path

import click
import pytest

from producer.cli import main
from worker.settings import Settings

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_readme_has_every_setting(name: str) -> None:
    """Each setting has its row, with its own default and description."""
    field = Settings.model_fields[name]
    default = "" if field.default is None else f"`{field.default}`"
    (line,) = (line for line in README.splitlines() if line.startswith(f"| `FLEET_{name.upper()}` |"))
    assert line.endswith(f"| {default} | {field.description} |")


@pytest.mark.parametrize("command", main.commands.values(), ids=lambda command: command.name)
def test_every_command_is_documented(command: click.Command) -> None:
    """Each command is in the README and has help, and so has each of its options."""
    assert f"`producer {command.name} " in README
    assert command.help
    for option in (parameter for parameter in command.params if isinstance(parameter, click.Option)):
        assert option.help, option.name
        assert option.opts[0] in README, option.name
