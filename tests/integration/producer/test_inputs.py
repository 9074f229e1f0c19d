"""Inputs of every kind through the command line, on a real Redis and without a worker."""

import gzip
import json
import subprocess
from typing import Any

import pytest

from tests.support.cli import CLI, PRODUCER, on_a_terminal, read_jsonl, row, write_jsonl
from tests.support.waiting import wait_until
from tests.support.workers import environment

#: Rows that need no worker: one that came with its output, one without an instruction.
ROWS = [row("a.png", "Make it red.", output_image=["there.png"]), {"images": "a.png"}]


def piped(cli: CLI, rows: list[Any], *args: str) -> subprocess.CompletedProcess[str]:
    """Call the command with rows on its standard input."""
    return subprocess.run(
        [PRODUCER, *args],
        cwd=cli.folder,
        env=environment(cli.settings),
        input="".join(json.dumps(fields) + "\n" for fields in rows),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_standard_input_is_a_run(cli: CLI) -> None:
    """`submit -` reads standard input; collect needs it no more; the same command again takes its new rows."""
    submitted = piped(cli, ROWS, "submit", "-", "--run-dir", "r")
    assert submitted.returncode == 0, submitted.stderr
    assert submitted.stdout == "r\n"
    assert cli("collect", submitted.stdout.strip()).returncode == 3
    output = cli.folder / submitted.stdout.strip() / "output.jsonl"
    assert [len(fields["output_image"]) for fields in read_jsonl(output)] == [1, 0]
    assert piped(cli, [*ROWS, ROWS[0]], "submit", "-", "--run-dir", "r").returncode == 0
    assert cli("collect", submitted.stdout.strip()).returncode == 3
    assert [len(fields["output_image"]) for fields in read_jsonl(output)] == [1, 0, 1]


def test_an_empty_standard_input_is_refused(cli: CLI) -> None:
    """Standard input without a row is wrong usage, and leaves no run behind."""
    refused = piped(cli, [], "submit", "-", "--run-dir", "r")
    assert refused.returncode == 2
    assert refused.stderr.endswith("Error: Standard input holds no rows.\n")
    assert not list(cli.folder.glob("r/*"))


def test_standard_input_needs_a_folder(cli: CLI) -> None:
    """A stream has no name to tell its run from another's: without --run-dir it is refused, and nothing is made."""
    refused = piped(cli, ROWS, "submit", "-")
    assert refused.returncode == 2
    sentence = "Error: Standard input has no name to call a run by; name its folder with --run-dir.\n"
    assert refused.stderr.endswith(sentence)
    assert not list(cli.folder.glob("cache_local"))


def test_a_command_that_is_ended_leaves_no_copy(cli: CLI) -> None:
    """SIGTERM while standard input is being read ends the command in one sentence, and its copy goes."""
    command = [PRODUCER, "submit", "-", "--run-dir", "r"]
    with subprocess.Popen(
        command, cwd=cli.folder, env=environment(cli.settings), stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_until(lambda: list(cli.folder.glob("r/.run.input.*")), "the copy is being written")
        process.terminate()
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1
    assert stderr == "Error: Interrupted; the same command goes on where it stopped.\n"
    assert not list(cli.folder.glob("r/*"))
    assert not list(cli.folder.glob("r/.*"))


def test_a_compressed_input_is_a_run(cli: CLI) -> None:
    """`edits.jsonl.gz` is read as it is, into the run folder `edits`."""
    path = cli.folder / "edits.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(fields) + "\n" for fields in ROWS).encode()))
    submitted = cli("submit", path.name)
    assert submitted.stdout == "cache_local/image_edit_local/edits\n", submitted.stderr
    assert cli("collect", submitted.stdout.strip()).returncode == 3
    assert len(read_jsonl(cli.folder / submitted.stdout.strip() / "output.jsonl")) == 2


@pytest.mark.parametrize("command", ["submit", "check"])
def test_a_damaged_input_is_one_sentence(cli: CLI, command: str) -> None:
    """A compressed input that was cut ends the command with one sentence that says where, and exit code 1."""
    lines = "".join(json.dumps(row(f"{n}.png", f"Make it {n * 7919}.")) + "\n" for n in range(3000))
    (cli.folder / "in.jsonl.gz").write_bytes(gzip.compress(lines.encode())[:-200])
    refused = cli(command, "in.jsonl.gz", "--run-dir", "r")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: The input ")
    assert "in.jsonl.gz is damaged after line" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_rounded_size_is_said_once(cli: CLI) -> None:
    """A size that the model does not take is rounded, and one sentence says so, however many rows there are."""
    write_jsonl(cli.folder / "in.jsonl", ROWS * 3)
    submitted = cli("submit", "in.jsonl", "--run-dir", "r", "--size", "1285x725")
    assert submitted.returncode == 0
    sentence = "--size 1285x725 was rounded down to 1280x720: demo takes multiples of 16."
    assert submitted.stderr.count(sentence) == 1


def test_errors_stand_above_the_bar_of_a_terminal(cli: CLI) -> None:
    """Each on a line of its own, from which the bar has been taken away."""
    write_jsonl(cli.folder / "in.jsonl", [row("absent.png", "Make it red.")])
    ended, shown = on_a_terminal(cli, "check", "in.jsonl", typed="")
    assert ended == 3, shown
    assert f"\x1b[2Kline 1: image {cli.folder}/absent.png: no such file." in shown, shown
