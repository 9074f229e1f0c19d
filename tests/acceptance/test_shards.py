"""A run whose rows lie in subfolders: the whole journey, and every command that comes back to it."""

import json
from pathlib import Path

import pytest

from tests.conftest import Fleet
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.edited import RED, plain
from tests.support.galleries import rows_of

#: Of five rows, two to a shard.
PATHS = [f"shard_{number // 2:04d}/sample_{number}/sample_{number}_0.png" for number in range(5)]

SUBMIT = ("submit", "in.jsonl", "--run-dir", "run")


@pytest.fixture
def sharded(passthrough: Fleet, tmp_path: Path) -> CLI:
    """Have a finished run of five rows, two to a subfolder."""
    cli = passthrough.cli(tmp_path)
    name = plain(tmp_path / "a.png", RED)
    write_jsonl(tmp_path / "in.jsonl", [row(name, f"x {number}") for number in range(5)])
    assert cli(*SUBMIT, "--shard-folders", 2).returncode == 0
    assert cli("collect", "run").returncode == 0
    return cli


def pictures(cli: CLI) -> list[str]:
    """Return the pictures of the run, relative to its folder."""
    return sorted(str(path.relative_to(cli.folder / "run")) for path in (cli.folder / "run").rglob("sample_*/*"))


def named(cli: CLI) -> list[list[str]]:
    """Return what the rows of the output name."""
    return [fields["output_image"] for fields in read_jsonl(cli.folder / "run/output.jsonl")]


def test_the_output_and_the_gallery_name_them(sharded: CLI) -> None:
    """Pictures lie in their shards, and in nothing else; output and gallery lead there."""
    assert pictures(sharded) == PATHS
    assert named(sharded) == [[f"./run/{path}"] for path in PATHS]
    assert sharded("gallery", "run").returncode == 0
    assert [entry["after"][0]["full"] for entry in rows_of(sharded.folder / "run")] == [f"../{path}" for path in PATHS]


def test_they_are_verified_and_made_again_in_their_place(sharded: CLI) -> None:
    """What is gone is found; it and rejected rows come again where they were, without a word of the layout."""
    before = (sharded.folder / "run" / PATHS[4]).read_bytes()
    (sharded.folder / "run" / PATHS[4]).unlink()
    found = sharded("verify", "run", "--json")
    assert json.loads(found.stdout)["damaged"] == [{"row": 4, "path": PATHS[4], "what": "is gone"}]
    assert sharded("redo", "run", "--rows", "1").returncode == 0
    assert PATHS[1] not in pictures(sharded)
    assert sharded("retry", "run", "--only", "unanswered").returncode == 0
    assert sharded("collect", "run").returncode == 0
    assert pictures(sharded) == PATHS
    assert (sharded.folder / "run" / PATHS[4]).read_bytes() == before


def test_a_run_goes_on_as_it_was_begun(sharded: CLI) -> None:
    """The same command without the option does new rows in the run's own layout, and touches no finished one."""
    made = (sharded.folder / "run" / PATHS[0]).stat().st_mtime_ns
    with (sharded.folder / "in.jsonl").open("a") as file:
        file.write(json.dumps(row("a.png", "x 5")) + "\n")
    assert "1 row published" in sharded(*SUBMIT).stderr
    assert sharded("collect", "run").returncode == 0
    assert pictures(sharded) == [*PATHS, "shard_0002/sample_5/sample_5_0.png"]
    assert (sharded.folder / "run" / PATHS[0]).stat().st_mtime_ns == made


def test_another_layout_is_refused(sharded: CLI) -> None:
    """Another number is one sentence that says which it was, and changes nothing; a dry run says it, too."""
    for more in ([], ["--dry-run"]):
        refused = sharded(*SUBMIT, "--shard-folders", 3, *more)
        assert refused.returncode == 2
        assert refused.stderr.endswith(
            "Error: --shard-folders / FLEET_SHARD_FOLDERS is 3, but the run in run was begun with 2, and its rows stay"
            " where they are; leave it out, or name another folder with --run-dir.\n"
        )
    assert named(sharded) == [[f"./run/{path}"] for path in PATHS]
