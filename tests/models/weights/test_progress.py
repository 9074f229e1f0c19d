"""Whoever waits for the weights reads how far they are."""

import logging
import re
from pathlib import Path

import pytest
from huggingface_hub import snapshot_download

from tests.support.waiting import wait_until
from worker.models.weights import progress
from worker.models.weights.progress import DownloadLog, loading_told


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, progress.__name__)


def test_a_download_says_how_many_bytes_there_are(
    hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The hub's own client counts them; of files and of bytes on the network nothing is said."""
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    snapshot_download("fine/model", endpoint=hub, cache_dir=tmp_path, tqdm_class=DownloadLog)
    said = [record.message for record in caplog.records if record.name == progress.__name__]
    assert said
    assert all(re.fullmatch(r"weights: 0\.0 of 0\.0 GB downloaded, \d+ MB/s", line) for line in said)


def test_a_download_is_told_in_gigabytes(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Each time that the client asks for a bar to be drawn, after the first."""
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    with DownloadLog(total=33.9e9, unit="B", desc="Reconstructing") as bar:
        bar.update(3_200_000_000)
        assert caplog.messages[-1].startswith("weights: 3.2 of 33.9 GB downloaded, ")
    with DownloadLog(total=3, unit="it", desc="Fetching 3 files") as bar:
        before = len(caplog.messages)
        bar.update(2)
    assert len(caplog.messages) == before


def test_loading_says_how_many_bytes_are_loaded(caplog: pytest.LogCaptureFixture) -> None:
    """What lay in memory before does not count, and nothing is said any more once it is over."""
    loaded = iter([1_000_000_000])
    with loading_told(33_900_000_000, lambda: next(loaded, 13_000_000_000), every=0.01):
        wait_until(lambda: bool(caplog.messages), "a line")
    assert caplog.messages[0].startswith("weights: 12.0 of 33.9 GB loaded, ")
