"""The input of a command."""

import pytest
from click.testing import CliRunner

from producer.commands.cli import main


@pytest.mark.parametrize("command", ["run", "submit", "check"])
def test_an_input_at_a_url_is_refused_with_what_helps(command: str) -> None:
    """No file of that name is looked for, and what may be secret in it is not said."""
    done = CliRunner().invoke(main, [command, "https://u:p@host/in.jsonl?sig=secret"])
    assert done.exit_code == 2
    assert "https://host/in.jsonl is a URL; bring it here, or pipe it into `producer … - --run-dir DIR`." in done.output
