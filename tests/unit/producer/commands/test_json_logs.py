"""What a command says is lines of JSON where that is asked for."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from producer.commands.cli import main


def call(*arguments: object, **environment: str) -> Result:
    """Call a command."""
    return CliRunner().invoke(main, [*map(str, arguments)], env=environment)


def said(result: Result) -> list[dict[str, Any]]:
    """Return the lines of what it said, each without its time."""
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert all(line.pop("time") for line in lines)
    return lines


def test_an_error_is_a_line_of_json(tmp_path: Path) -> None:
    """With the words and the exit code that it has otherwise."""
    usual = call("status", tmp_path / "absent")
    result = call("status", tmp_path / "absent", "--json-logs")
    (line,) = said(result)
    assert usual.stderr == f"Error: {line['message']}\n"
    assert line == {"level": "ERROR", "logger": "producer", "message": line["message"]}
    assert result.exit_code == usual.exit_code == 1


@pytest.mark.parametrize("arguments", [("--json-logs", "--no-such"), ("absent.jsonl", "--json-logs", "--seed", "x")])
def test_wrong_usage_is_a_line_of_json(arguments: tuple[str, ...]) -> None:
    """Wherever in the command line the option stands."""
    result = call("submit", *arguments)
    (line,) = said(result)
    assert (line["level"], result.exit_code) == ("ERROR", 2)


def test_the_variable_says_it_too(tmp_path: Path) -> None:
    """It is the one that workers have, so that a container needs no option."""
    result = call("status", tmp_path / "absent", FLEET_LOG_FORMAT="json")
    assert [line["level"] for line in said(result)] == ["ERROR"]


def test_what_is_no_error_is_information(tmp_path: Path) -> None:
    """A result stays on standard output as it is."""
    (tmp_path / "in.jsonl").write_text('{"images": "absent.png", "conversations": "Make it red."}\n')
    result = call("check", tmp_path / "in.jsonl", "--model", "demo", "--size", "100x100", "--json-logs")
    assert "absent.png: no such file" in result.stdout
    (line,) = said(result)
    assert line["level"] == "INFO"
    assert "100x100" in line["message"]


def test_without_it_nothing_changes(tmp_path: Path) -> None:
    """One sentence for people."""
    assert call("status", tmp_path / "absent").stderr.startswith("Error: There is no folder ")
