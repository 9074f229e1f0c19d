"""The folder of compiled kernels is its owner's alone."""

import logging
import os
import stat
from concurrent.futures import Executor
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from tests.models.conftest import Load
from tests.support.jobs import job, key
from worker.contract.buckets import Bucket
from worker.contract.errors import ModelError
from worker.models.pipelines import editing
from worker.models.speed.compiling import compile_blocks, compiler_settings


@pytest.fixture
def transformer(load: Load, monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """Load a transformer; what is set for its compiler holds for one test."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "")
    module: nn.Module = load().pipeline.transformer
    return module


def test_the_folder_is_made_for_its_owner_alone(transformer: nn.Module, tmp_path: Path) -> None:
    """It is made with its parents, nobody else may enter it, and torch is told to use it."""
    folder = tmp_path / "a" / "b"
    compile_blocks(transformer, folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(folder)
    compile_blocks(transformer, folder)  # and is taken again


def test_products_are_not_padded_by_trial() -> None:
    """What would be tried on the device while it compiles could come out differently for two workers of a run."""
    with compiler_settings():
        assert not torch._inductor.config.shape_padding  # noqa: SLF001 - where torch documents it


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_a_folder_that_others_may_write_to_is_refused(transformer: nn.Module, tmp_path: Path, mode: int) -> None:
    """What lies in it is run: a stranger's file there would be the stranger's code."""
    folder = tmp_path / "kernels"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(ModelError, match=r"^Others can write to .*kernels, and what lies there is run: chmod 700 it"):
        compile_blocks(transformer, folder)


def test_another_users_folder_is_refused(
    transformer: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever owns it can change what lies in it; the sentence does not ask for a chmod that would not help."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ModelError, match=r"^The folder .* belongs to another user, and what lies there is run: remove"):
        compile_blocks(transformer, tmp_path)


def test_a_path_that_cannot_be_a_folder_is_refused(transformer: nn.Module, tmp_path: Path) -> None:
    """The sentence names the setting."""
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match=r"cannot be kept in .*file/kernels \(Not a directory\); set FLEET_COMPILE_C"):
        compile_blocks(transformer, tmp_path / "file" / "kernels")


@pytest.mark.parametrize("limit", [2, pytest.param(8, marks=pytest.mark.thorough)])  # torch's own is 8
def test_any_number_of_shapes_is_compiled(
    load: Load, gpu_thread: Executor, caplog: pytest.LogCaptureFixture, limit: int
) -> None:
    """More shapes than torch's limit, in a thread as a worker's: each on its first use, and it is said."""
    caplog.set_level(logging.INFO, editing.__name__)
    model = load(profile="exact")
    # Traced and checked as ever, but without minutes of building kernels.
    model.pipeline.transformer.compile_repeated_blocks(fullgraph=True, dynamic=False, backend="eager")
    buckets = [Bucket(64, 64 + 16 * number) for number in range(limit + 1)]

    def edit(bucket: Bucket) -> list[list[Image.Image]]:
        with torch._dynamo.config.patch(recompile_limit=limit):  # noqa: SLF001 - where torch documents it
            return model.edit(key(bucket, steps=1), [job(1, bucket)], 1)

    edited = list(gpu_thread.map(edit, buckets))
    assert [images[0][0].size for images in edited] == buckets
    said = [message.partition(",")[0] for message in caplog.messages if message.startswith("compil")]
    assert said == [f"{what} for {bucket}" for bucket in buckets for what in ("compiling", "compiled")]
    model.edit(key(buckets[0], steps=1), [job(1, buckets[0])], 1)
    assert len([message for message in caplog.messages if message.startswith("compil")]) == len(said)
