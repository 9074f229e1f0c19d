"""A run folder of an earlier version is taken up; one of a later version is refused in one sentence."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from producer.run.ledger import LEDGER
from tests.support.by_hand import answer_all, finish, rows_in_queue, write_rows
from tests.support.cli import CLI

#: What the first version remembered of its settings; what came later has its default.
_FIRST = {
    "diffuser_model_name", "input_image_key", "input_conversation_key", "output_image_key",
    "diffuser_num_inference_steps", "diffuser_guidance_scale", "seed", "num_images", "size", "image_format", "quality",
    "save_interval",
}  # fmt: skip


@pytest.fixture
def three(cli: CLI) -> CLI:
    """Have a run of three rows that were sent."""
    write_rows(cli, 3)
    assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    return cli


def rewrite(folder: Path, settings: Any, *, as_of_old: bool) -> None:
    """Have a folder remember other settings, and nothing else that came later."""
    with sqlite3.connect(folder / LEDGER) as db:
        db.execute("UPDATE meta SET value = ? WHERE key = 'settings'", (json.dumps(settings),))
        if as_of_old:
            db.execute("DELETE FROM meta WHERE key NOT IN ('run', 'input', 'input_path', 'settings', 'sent_to')")
            db.execute("DROP INDEX rows_by_warnings")
            db.execute("ALTER TABLE rows DROP COLUMN warnings")
            db.execute("DROP TABLE seeds")


def settings_of(folder: Path) -> dict[str, Any]:
    """Return the settings that a folder remembers."""
    with sqlite3.connect(folder / LEDGER) as db:
        found: dict[str, Any] = json.loads(db.execute("SELECT value FROM meta WHERE key = 'settings'").fetchone()[0])
    return found


def test_a_folder_of_the_first_version_is_taken_up(three: CLI, redis_url: str) -> None:
    """Whoever looks on sees it, nothing is sent twice, and its rows are collected."""
    folder = three.folder / "r"
    rewrite(folder, {key: value for key, value in settings_of(folder).items() if key in _FIRST}, as_of_old=True)
    assert json.loads(three("status", "r", "--json").stdout)["waiting"] == 3
    answer_all(redis_url)
    assert three("collect", "r", "--no-wait").returncode == 0
    again = three("submit", "in.jsonl", "--run-dir", "r")
    assert (again.returncode, rows_in_queue(redis_url)) == (0, []), again.stderr
    finish(three, redis_url)


@pytest.mark.parametrize(
    ("command", "later", "what"),
    [
        (
            "collect",
            {"size": {"of": "tomorrow"}},
            "FLEET_SIZE: input should be a valid string (found {'of': 'tomorrow'})",
        ),
        ("retry", {"mask": "blue"}, "FLEET_MASK: extra inputs are not permitted (found 'blue')"),
        ("status", {"seed": -1}, "FLEET_SEED: input should be greater than or equal to 0 (found -1)"),
    ],
)
def test_a_folder_of_a_later_version_is_refused(three: CLI, command: str, later: dict[str, Any], what: str) -> None:
    """With what is not understood of it: a value, or a setting that might decide pictures."""
    folder = three.folder / "r"
    rewrite(folder, {**settings_of(folder), **later}, as_of_old=False)
    refused = three(command, "r")
    assert (refused.returncode, refused.stderr) == (
        1,
        f"Error: The run folder r was written by another version ({what}); use that one, or name another folder.\n",
    )
