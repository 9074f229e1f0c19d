"""The `producer` command as a user calls it: a process of its own."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.forked import run_forked
from tests.support.workers import environment

PRODUCER = Path(sys.executable).with_name("producer")


@dataclass(frozen=True)
class CLI:
    """Calls `producer` in one folder with one set of settings."""

    folder: Path
    settings: Mapping[str, object]

    def __call__(self, *args: object, limit: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return run_forked(
            "producer.commands.cli:main",
            args,
            folder=self.folder,
            environment=environment(self.settings),
            limit=limit,
        )

    def begin(self, *args: object) -> subprocess.Popen[str]:
        """Start a command, as a user does, and leave it running."""
        return subprocess.Popen(
            [PRODUCER, *map(str, args)],
            cwd=self.folder,
            env=environment(self.settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def after_plan(said: str) -> str:
    """Return what a command said after its plan."""
    plan, _, rest = said.partition("\n")
    assert plan.startswith("Plan: "), said
    return rest


def write_jsonl(path: Path, rows: list[Any]) -> Path:
    """Write rows, one JSON value per line; a string is written as it is."""
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read every line."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def row(image: str | list[str], instruction: str, **more: Any) -> dict[str, Any]:
    """Make a row as DataFlow's users have it."""
    return {"images": image, "conversations": [{"role": "user", "content": instruction}], **more}


def on_a_terminal(cli: CLI, *args: object, typed: str) -> tuple[int, str]:
    """Run a command where somebody sits and has typed this already; return its exit code and what the screen showed."""
    ours, theirs = pty.openpty()
    command = [PRODUCER, *map(str, args)]
    with subprocess.Popen(
        command, cwd=cli.folder, env=environment(cli.settings), stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        shown = b""
        with suppress(OSError):  # which is how a terminal ends
            while chunk := os.read(ours, 4096):
                shown += chunk
        os.close(ours)
        return process.wait(60), shown.decode()
