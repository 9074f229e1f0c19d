"""The Tab key, as the page on commands sets it up."""

import shutil
import subprocess

import pytest
from click.testing import CliRunner

from producer.commands.cli import main
from tests.support.consoles import consoles
from tests.support.place import PROJECT

SHELLS = ("bash", "zsh", "fish")


def completing(instruction: str, **more: str) -> str:
    """Call the command as a shell does that wants something completed."""
    ended = CliRunner(env={"_PRODUCER_COMPLETE": instruction, **more}).invoke(main, [], prog_name="producer")
    assert ended.exit_code == 0, ended.output
    return ended.output


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_its_script(shell: str) -> None:
    """It is of that shell, asks the command back, and the shell reads it, where it is here."""
    script = completing(f"{shell}_source")
    assert f"_PRODUCER_COMPLETE={shell}_complete" in script
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=script, text=True, check=True)


def test_the_page_has_a_line_for_each_shell() -> None:
    """And for no other."""
    typed = [line for block in consoles(PROJECT / "docs/commands.md") for line in block.typed]
    lines = [line for line in typed if line.startswith("_PRODUCER_COMPLETE=")]
    assert [line.split()[0] for line in lines] == [f"_PRODUCER_COMPLETE={shell}_source" for shell in SHELLS]


@pytest.mark.parametrize(
    ("words", "number", "found"),
    [
        ("producer re", "1", {"plain,redo", "plain,retry"}),
        ("producer retry --only ", "3", {"plain,failed", "plain,unanswered", "plain,all"}),
    ],
)
def test_commands_and_choices_are_completed(words: str, number: str, found: set[str]) -> None:
    """What bash asks for after a Tab."""
    assert {*completing("bash_complete", COMP_WORDS=words, COMP_CWORD=number).split()} == found
