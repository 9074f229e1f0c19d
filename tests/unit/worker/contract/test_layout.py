"""Where a row's images lie."""

import pytest

from worker.contract.layout import is_in_row_folder, row_folder


@pytest.mark.parametrize(
    ("row", "shard_folders", "folder"),
    [
        (0, None, "sample_0"),
        (9_999, 10_000, "shard_0000/sample_9999"),
        (10_000, 10_000, "shard_0001/sample_10000"),
        (30_123, 10_000, "shard_0003/sample_30123"),
        (7, 1, "shard_0007/sample_7"),
        (123_450, 10, "shard_12345/sample_123450"),
    ],
)
def test_names(row: int, shard_folders: int | None, folder: str) -> None:
    """A row lies directly in the run folder, or in the shard of its number, whose digits grow as they need to."""
    assert row_folder(row, shard_folders) == folder
    assert is_in_row_folder(f"{folder}/x.png")


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_shard_holds_no_more_than_it_may(size: int) -> None:
    """No shard has more rows than were asked for, and each but the last is full."""
    shards = [row_folder(row, size).split("/")[0] for row in range(3 * size)]
    assert [shards.count(name) for name in sorted(set(shards))] == [size] * 3


@pytest.mark.parametrize(
    "path",
    [
        "output.jsonl",
        "samples/a.png",
        "sample_7",
        "sample_x/a.png",
        "shard_0001/a.png",
        "a/sample_7/a.png",
        "../sample_7/a",
    ],
)
def test_what_is_the_users_own(path: str) -> None:
    """Files beside the rows' folders, also in a folder that only looks like a shard, are nobody's pictures."""
    assert not is_in_row_folder(path)
