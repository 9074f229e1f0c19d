"""What the worker comes to know of a row, until it is the row's outcome."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from worker.batching.batch_runner import Batched
from worker.batching.jobs import Adapter
from worker.contract.buckets import Bucket
from worker.contract.errors import RowError, one_line
from worker.contract.messages import EditRequest, Outcome
from worker.contract.reading import Reading
from worker.contract.row_warnings import RowWarning, in_order
from worker.metrics.failures import FailureKind, failure_kind
from worker.pictures import files

logger = logging.getLogger(__name__)


class RowRecord:
    """What is known of a row so far, for its outcome."""

    def __init__(self, request: EditRequest, *, worker: str) -> None:
        self._request = request
        self._worker = worker
        self._seconds: dict[str, float] = {}
        #: Of the model's seconds, those that are its own.
        self._share = 0.0
        self._facts: dict[str, object] = {}
        self._warnings: set[RowWarning] = set()
        #: Of which kind its failure is, once it has failed.
        self.failure: FailureKind | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a stage."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self._add(name, time.monotonic() - begun)

    def decoded(self, digests: Sequence[str], bucket: Bucket) -> None:
        """Note the sources as they were read, and where the row goes."""
        self._facts |= {"source_digests": tuple(digests), "bucket": tuple(bucket)}

    def reads(self, reading: Reading) -> None:
        """Note how much of the instruction the model reads."""
        self._facts |= {"tokens": reading.tokens, "tokens_read": reading.read}

    def warn(self, *kinds: RowWarning) -> None:
        """Note what is to be said of the row."""
        self._warnings |= {*kinds}

    def rode(self, batched: Batched[Any], *, profile: str, weights: str, adapters: Sequence[Adapter] = ()) -> None:
        """Note the micro-batch, and how the model calculated it; LoRAs are in the order of the request's.

        A row of several turns rides once for each: the seconds are those of all, the rest the last one's.
        """
        self._add("wait", batched.waited)
        self._add("model", batched.took)
        self._share += batched.took / batched.size
        if self._request.earlier_prompts:
            self._facts["gpu_seconds"] = round(self._share, 4)
        self._facts |= {
            "batch_id": batched.batch_id,
            "batch_size": batched.size,
            "batch_limit": batched.limit,
            "profile": profile,
            "weights": weights,
            "lora": {text: adapter.digest for text, adapter in zip(self._request.lora, adapters, strict=True)},
        }

    def done(self) -> Outcome:
        """Return the outcome of a row whose images are in place."""
        paths, earlier = files.sample_paths(self._request), files.turn_paths(self._request)
        return self._outcome(status="done", paths=paths, earlier_paths=earlier)

    def failed(self, error: Exception) -> Outcome:
        """Return the outcome of a row that cannot be edited."""
        self.failure = failure_kind(error)
        whose = "" if isinstance(error, RowError) else f"the worker failed on this row: {type(error).__name__}: "
        return self._outcome(status="failed", error=one_line(f"{whose}{error}"))

    def tell(self, error: str) -> None:
        """Say in one line of the log what is wrong with the row, once that is recorded."""
        row = {"run": self._request.run, "row": self._request.row, "kind": self.failure, "error": error}
        logger.warning("row %s failed: %s", self._request.name, error, extra={"event": "row-failed", **row})

    def shown(self, outcome: Outcome) -> dict[str, object]:
        """Return what Flower shows of a row that is done: where it rode, how long each stage took, and its pictures."""
        rows = f"{outcome.batch_size} of {outcome.batch_limit}" if outcome.batch_id else None
        facts = {
            "batch": outcome.batch_id,
            "rows": rows,
            "bucket": outcome.bucket and "x".join(map(str, outcome.bucket)),
        }
        place = {"seconds": outcome.seconds, "folder": self._request.output_dir, "paths": [*outcome.paths]}
        return {**{name: fact for name, fact in facts.items() if fact is not None}, **place}

    def _add(self, stage: str, seconds: float) -> None:
        self._seconds[stage] = round(self._seconds.get(stage, 0.0) + seconds, 4)

    def _outcome(self, **result: object) -> Outcome:
        return Outcome.model_validate(
            {
                "run": self._request.run,
                "row": self._request.row,
                "fingerprint": self._request.fingerprint,
                "seed": self._request.seed,
                "steps": self._request.steps,
                "true_cfg_scale": self._request.true_cfg_scale,
                "worker": self._worker,
                "seconds": self._seconds,
                "warnings": in_order(self._warnings),
                **self._facts,
                **result,
            }
        )
