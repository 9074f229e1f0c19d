"""Memory that runs out in the middle of a batch: real memory on a GPU, and what torch says of it on a CPU."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from tests.models.conftest import Load
from tests.support.jobs import edited, job, key
from tests.support.policies import policy
from worker.batching.batch_runner import BatchRunner, Entry
from worker.batching.circuit_breaker import CircuitBreaker
from worker.batching.policy import Waiting
from worker.contract.buckets import Bucket
from worker.models.pipelines.editing import PipelineEditor
from worker.models.speed.device import free_memory

#: Rows of a batch, and those that the memory holds at a time, with half of another one's to spare.
ROWS, FIT = 8, 2


def test_rows_that_do_not_fit_together_are_edited_in_smaller_calls(load: Load, device: torch.device) -> None:
    """Each row of the batch has its own picture, the one that it has alone, and the next call begins smaller."""
    model = load()
    bucket = Bucket(512, 512) if device.type == "cuda" else Bucket(64, 64)
    rows, of = [job(number, bucket) for number in range(ROWS)], key(bucket, steps=1)
    alone = [edited(model, of, [row], 1)[0] for row in rows]  # and all that is loaded once is
    together: Any = BatchRunner(model.edit, policy(ROWS, max_wait=0), breaker=CircuitBreaker(lambda _: None, limit=3))
    entries: list[Entry[Any, Any]] = [Entry(waiting=Waiting(key=of, since=0), job=row, future=Future()) for row in rows]
    with little_memory(model, bucket):
        together.run(entries)
    assert together.policy.images_of(of) < ROWS
    most = 1 if model.pipeline.dtype == torch.float32 else 32  # another number of rows rounds otherwise in bf16
    for entry, picture in zip(entries, alone, strict=True):
        [image] = entry.future.result(0).result
        assert np.abs(np.asarray(image).astype(int) - picture).max() <= most


@contextmanager
def little_memory(model: PipelineEditor, bucket: Bucket) -> Iterator[None]:
    """Take the GPU's memory away but for a few rows; on a CPU, have the transformer refuse as CUDA's allocator does."""
    if model.device.type == "cuda":
        memory = model.memory()  # as the last call, of one row, has shown it
        assert memory is not None
        keep = int((FIT + 0.5) * memory.per_token * key(bucket).tokens) + 2**26  # and kernels that are loaded late
        ballast = torch.empty(free_memory(model.device)[0] - keep, dtype=torch.uint8, device=model.device)
        yield
        del ballast
        return

    def allocate(_: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if len(args[0] if args else kwargs["hidden_states"]) > FIT:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.50 GiB.")

    refusing = model.pipeline.transformer.register_forward_pre_hook(allocate, with_kwargs=True)
    yield
    refusing.remove()
