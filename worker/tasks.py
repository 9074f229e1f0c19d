"""A row's life on the worker: decode, ride in a micro-batch, encode, record. Imports no torch."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import redis
from celery import Task
from celery.exceptions import Reject
from PIL import Image

from worker import decoding, files, images
from worker.batching import BatchKey, EditJob
from worker.buckets import Fit, area_of, plan_fit
from worker.catalog import ModelSpec
from worker.contract import TASK_NAME, EditRequest, Outcome, image_seed
from worker.encoding import require_encodable
from worker.errors import ContractError, RowError
from worker.microbatcher import Batched, GivenBack, MicroBatcher
from worker.notes import RunNotes
from worker.outcomes import OutcomeStream
from worker.record import RowRecord
from worker.room import Room

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Batcher = MicroBatcher[EditJob, list[Image.Image]]


class Unwanted(RowError):  # noqa: N818 - like GivenBack no fault, but news
    """The row was submitted in a newer form, or its run was cancelled; nothing is recorded of it."""


class EditTask(Task):
    """Edits one row; the message is acknowledged once its outcome is recorded."""

    name = TASK_NAME
    # A bad row is the user's, not the worker's: no traceback in the log.
    throws = (RowError,)

    def __init__(self, *, spec: ModelSpec, max_pixels: int, batcher: Batcher, client: redis.Redis) -> None:
        self._spec = spec
        self._max_pixels = max_pixels
        self._room = Room(max_pixels)
        self._batcher = batcher
        self._client = client

    def run(self, message: str) -> None:
        """Edit the row of an encoded `EditRequest`.

        Raises:
            RowError: the row cannot be edited; its outcome says why, too.
            Reject: the row goes back to the queue, or the message is none of this version.

        """
        try:
            request = EditRequest.decode(message)
        except ContractError as error:
            logger.error("rejected a message: %s", error)  # noqa: TRY400 - one sentence says it
            raise Reject(str(error), requeue=False) from None
        stream = OutcomeStream(self._client, request.run)
        try:
            outcome = self._edit(request)
            self._until_redis_answers(lambda: stream.append(outcome), outcome.row)
        except GivenBack:
            raise Reject("the worker is shutting down", requeue=True) from None
        if outcome.error is not None:
            raise RowError(outcome.error)

    def _edit(self, request: EditRequest) -> Outcome:
        record = RowRecord(request, worker=self.request.hostname or "")
        try:
            self._work(request, record)
        except (GivenBack, Unwanted):
            raise
        except RowError as error:
            return record.failed(str(error))
        except Exception as error:
            logger.exception("row %d of run %s failed", request.row, request.run)
            return record.failed(f"the worker failed on this row: {type(error).__name__}: {error}")
        return record.done()

    def _work(self, request: EditRequest, record: RowRecord) -> None:
        with record.stage("decode"):
            self._drop_if_unwanted(request)
            plan, fitted = self._prepare(request, record)
        if fitted is None:
            return
        batched = self._ride(request, plan, fitted)
        record.rode(batched)
        with record.stage("encode"), self._room.taken(plan.output[0] * plan.output[1]):
            # One at a time: under the size "input" each may have a hundred megapixels.
            restored = (images.restore(edited, plan) for edited in batched.result)
            files.save(request, restored, confirm=lambda: self._confirm(request))

    def _prepare(self, request: EditRequest, record: RowRecord) -> tuple[Fit, Image.Image | None]:
        """Return the row's way, and its picture at the bucket's size; None where the row was edited before."""
        paths, most = [Path(path) for path in request.images], self._max_pixels
        # By their headers: of a hundred large pictures not one is decoded.
        pixels = area_of([decoding.size_of(path, max_pixels=most) for path in paths], max_pixels=most)
        with self._room.taken(pixels):
            if self._batcher.closed:
                raise GivenBack
            sources = [decoding.read(path, max_pixels=most) for path in paths]
            picture = images.stitch([source.image for source in sources], max_pixels=most)
            plan = plan_fit(*picture.size, self._spec.buckets, request.size)
            record.decoded([source.digest for source in sources], plan.bucket)
            require_encodable(request.image_format, plan.output)
            # At-least-once delivery: a row that was already edited is answered without the GPU.
            return plan, None if files.finished(request) else images.fit(picture, plan)

    def _ride(self, request: EditRequest, plan: Fit, fitted: Image.Image) -> Batched[list[Image.Image]]:
        key = BatchKey(
            bucket=plan.bucket,
            steps=request.steps,
            guidance=request.guidance,
            true_cfg_scale=request.true_cfg_scale,
            num_images=request.num_images,
        )
        seeds = tuple(image_seed(request.seed, index) for index in range(request.num_images))
        job = EditJob(fitted, request.prompt, request.negative_prompt, seeds)
        return self._batcher.submit(key, job).result()

    def _drop_if_unwanted(self, request: EditRequest) -> None:
        notes, row = RunNotes(self._client, request.run), request.row
        if why := self._until_redis_answers(lambda: notes.why_unwanted(row, request.fingerprint), row):
            raise Unwanted(f"row {row}: {why}.")

    def _confirm(self, request: EditRequest) -> None:
        """Look again: the row may have changed while this form of it was on the GPU."""
        # A worker that shuts down while Redis is away keeps what the GPU has made; it is known again.
        with suppress(GivenBack):
            self._drop_if_unwanted(request)

    def _until_redis_answers(self, ask: Callable[[], Answer], row: int) -> Answer:
        """Ask Redis, however long it is away or full: a row is not acknowledged before its outcome is recorded.

        Raises:
            GivenBack: the worker is shutting down; a saved picture is recognised when the row comes again.

        """
        while not self._batcher.closed:
            try:
                return ask()
            except redis.RedisError as error:
                logger.warning("row %d waits for Redis: %s", row, error)
                time.sleep(1)
        try:
            return ask()
        except redis.RedisError:
            raise GivenBack from None
