"""Results, out of what a ledger has of rows."""

from pathlib import Path

from producer.interface.results import result_of, texts_in
from producer.run.records import Answer, State
from worker.contract.row_warnings import RowWarning


def test_a_done_row() -> None:
    """Its pictures are absolute, and everything that its worker said is there."""
    outcome = '{"status": "done", "paths": ["sample_3/sample_3_0.png"], "seed": 5, "bucket": [64, 32], "worker": "w"}'
    found = result_of(Answer(3, State.DONE, outcome, (RowWarning.MARKUP_REMOVED,)), Path("/r"))
    assert (found.row, found.state, found.ok) == (3, "done", True)
    assert found.paths == (Path("/r/sample_3/sample_3_0.png"),)
    assert (found.seed, found.size, found.worker, found.warnings) == (5, (64, 32), "w", ("markup-removed",))


def test_a_row_at_a_store() -> None:
    """It has URLs in the place of paths."""
    found = result_of(Answer(3, State.DONE, '{"paths": ["sample_3/sample_3_0.png"]}', ()), Path("/r"), store="s3://b/x")
    assert (found.paths, found.urls) == ((), ("s3://b/x/sample_3/sample_3_0.png",))


def test_a_failed_row() -> None:
    """It has its error, and no pictures."""
    found = result_of(Answer(0, State.FAILED, '{"error": "no such file"}', ()), Path("/r"))
    assert (found.state, found.ok, found.paths, found.error) == ("failed", False, (), "no such file")


def test_a_kept_row() -> None:
    """It has what it came with."""
    assert result_of(Answer(0, State.KEPT, None, ()), Path("/r"), ["a.png"]).paths == (Path("a.png"),)


def test_a_kept_row_with_urls() -> None:
    """What it came with at an object store is a URL, as it is there."""
    found = result_of(Answer(0, State.KEPT, None, ()), Path("/r"), ["s3://b/k.png", "a.png"])
    assert (found.urls, found.paths) == (("s3://b/k.png",), (Path("a.png"),))


def test_paths_that_a_row_came_with() -> None:
    """In whatever form."""
    assert [*texts_in(["a.png", {"path": "b.png", "bytes": None}, "", None, ["c.png"]])] == ["a.png", "b.png", "c.png"]
