"""A producer whose disk is full: one sentence, nothing half written, and with room again the same command finishes."""

import re
from collections import Counter

from tests.support.by_hand import answer_all, finish, requests, require_sound, rows_in_queue, write_rows
from tests.support.cli import CLI, after_plan, write_jsonl
from tests.support.disks import small_disk

SUBMIT = ("submit", "in.jsonl", "--run-dir", "r")

#: Rows of one transaction.
CHUNK = 1000


def test_a_full_disk_ends_the_submission(cli: CLI, redis_url: str) -> None:
    """A ledger without room ends the command with one sentence; with room again the same command finishes."""
    submit = ("submit", "in.jsonl", "--run-dir", "disk/r")
    write_rows(cli, 5)
    with small_disk(cli.folder / "disk", "8m") as disk:
        assert cli(*submit).returncode == 0
        write_rows(cli, 8_000)
        (disk.folder / "ballast").write_bytes(bytes(15 * 2**19))
        full = cli(*submit)
        assert (full.returncode, full.stdout) == (1, "")
        said = after_plan(full.stderr)
        assert said == "Error: The ledger of the run folder disk/r cannot be used: database or disk is full.\n"
        disk.make_room()
        require_sound(disk.folder / "r")
        assert cli(*submit).returncode == 0
        sent = Counter(rows_in_queue(redis_url))
        assert sorted(sent) == list(range(8_000))
        assert sum(number > 1 for number in sent.values()) <= CHUNK
        require_sound(disk.folder / "r")


def test_a_disk_without_any_room_is_one_sentence(cli: CLI, redis_url: str) -> None:
    """Where not even the run folder can be made, the sentence says so, and nothing is sent."""
    write_rows(cli, 5)
    with small_disk(cli.folder / "disk") as disk:
        disk.fill()
        full = cli("submit", "in.jsonl", "--run-dir", "disk/r")
        assert (full.returncode, full.stdout) == (1, "")
        assert re.fullmatch(r"Error: The (ledger of the )?run folder disk/r cannot be used: [^\n]+\n", full.stderr)
        assert requests(redis_url) == []


def test_a_full_disk_leaves_no_half_output(cli: CLI, redis_url: str) -> None:
    """An output without room is one sentence; nothing of it stays, and the earlier output does."""
    text = [f"Make it {number} times as red. " + "x" * 900 for number in range(600)]
    rows = [{"images": "a.png", "conversations": [{"role": "user", "content": words}]} for words in text]
    write_jsonl(cli.folder / "in.jsonl", rows[:5])
    assert cli(*SUBMIT).returncode == 0
    answer_all(redis_url)
    with small_disk(cli.folder / "disk", "256k"):
        collect = ("collect", "r", "--output", "disk/out.jsonl")
        assert cli(*collect).returncode == 0
        before = (cli.folder / "disk/out.jsonl").read_bytes()
        write_jsonl(cli.folder / "in.jsonl", rows)
        assert cli(*SUBMIT).returncode == 0
        answer_all(redis_url)
        full = cli(*collect)
        assert (full.returncode, full.stdout) == (1, "")
        assert full.stderr == (
            f"Error: The output {cli.folder}/disk/out.jsonl cannot be written: No space left on device.\n"
        )
        assert {path.name: path.read_bytes() for path in (cli.folder / "disk").iterdir()} == {"out.jsonl": before}
    finish(cli, redis_url)
