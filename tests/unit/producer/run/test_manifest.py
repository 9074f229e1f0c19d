"""What a run folder remembers of the layout that it was begun with."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.rows.source import Source
from producer.run.ledger import Ledger
from producer.run.manifest import as_begun, remember, remembered
from worker.contract.errors import SettingsError
from worker.settings.fleet import load_settings


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Open a new ledger."""
    with Ledger(tmp_path) as opened:
        yield opened


def begin(folder: Path, ledger: Ledger, shard_folders: int | None, pictures: str | None = None) -> None:
    """Make a run's settings its own."""
    path = folder / "in.jsonl"
    source = Source(path=path, base=folder, resolved=path)
    remember(
        folder,
        ledger,
        source,
        load_settings(diffuser_model_name="demo", shard_folders=shard_folders, pictures=pictures),
    )


@pytest.mark.parametrize("begun", [None, 10])
def test_the_layout_stays(tmp_path: Path, ledger: Ledger, begun: int | None) -> None:
    """A command that names no layout, or the same one, goes on in that which the run was begun with."""
    begin(tmp_path, ledger, begun)
    for named in {None, begun}:
        assert as_begun(tmp_path, ledger, load_settings(shard_folders=named)).shard_folders == begun
    assert remembered(tmp_path, ledger)[1].shard_folders == begun


@pytest.mark.parametrize(("begun", "said"), [(None, "was begun without,"), (10, "was begun with 10,")])
def test_another_layout_is_refused(tmp_path: Path, ledger: Ledger, begun: int | None, said: str) -> None:
    """Another layout than the run's own is refused in a sentence that names it."""
    begin(tmp_path, ledger, begun)
    with pytest.raises(SettingsError, match=f"^FLEET_SHARD_FOLDERS is 7, but the run in {tmp_path} {said}"):
        as_begun(tmp_path, ledger, load_settings(shard_folders=7))


@pytest.mark.parametrize(("begun", "said"), [(None, "was begun without,"), ("s3://b/x", "was begun with s3://b/x,")])
def test_another_place_for_pictures_is_refused(tmp_path: Path, ledger: Ledger, begun: str | None, said: str) -> None:
    """Pictures stay where the run's first command has put them, and every later one finds them there."""
    begin(tmp_path, ledger, None, begun)
    assert as_begun(tmp_path, ledger, load_settings()).pictures == begun
    with pytest.raises(SettingsError, match=f"^FLEET_PICTURES is s3://b/y, but the run in {tmp_path} {said}"):
        as_begun(tmp_path, ledger, load_settings(pictures="s3://b/y"))


def test_a_run_that_was_not_begun_takes_any(tmp_path: Path, ledger: Ledger) -> None:
    """Where nothing was sent, nothing lies anywhere."""
    assert as_begun(tmp_path, ledger, load_settings(shard_folders=7)).shard_folders == 7


def test_a_run_from_before_there_were_shards_has_none(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that remembers no layout has DataFlow's, whatever the environment of later commands says."""
    begin(tmp_path, ledger, None)
    given = json.loads(ledger.get("settings") or "")
    del given["shard_folders"]
    ledger.put("settings", json.dumps(given))
    monkeypatch.setenv("FLEET_SHARD_FOLDERS", "7")
    assert remembered(tmp_path, ledger)[1].shard_folders is None


def test_a_run_keeps_its_loras(tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they were named, wherever the next command stands; one from before there were any has none."""
    (tmp_path / "in.jsonl").touch()
    source = Source(path=tmp_path / "in.jsonl", base=tmp_path, resolved=tmp_path / "in.jsonl")
    monkeypatch.chdir(tmp_path)
    remember(tmp_path, ledger, source, load_settings(diffuser_model_name="demo", lora=["./a:0.5", "o/b"]))
    monkeypatch.chdir("/")
    monkeypatch.setenv("FLEET_LORA", "o/other")
    assert remembered(tmp_path, ledger)[1].lora == (f"{tmp_path}/a:0.5", "o/b:1")
    given = json.loads(ledger.get("settings") or "")
    del given["lora"]
    ledger.put("settings", json.dumps(given))
    assert remembered(tmp_path, ledger)[1].lora is None
