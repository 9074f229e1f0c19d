"""A row's way through the worker: decode, ride in a micro-batch, encode. Imports no torch."""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TypeVar

import redis
from PIL import Image

from worker.batching.batch_runner import Batched
from worker.batching.jobs import Adapter, BatchKey, EditJob, Ticket
from worker.batching.microbatcher import MicroBatcher
from worker.contract.buckets import Bucket, Fit, area_of, plan_fit, plan_made
from worker.contract.errors import GivenBack, RowError, Unwanted
from worker.contract.lora import Lora, lora_of
from worker.contract.messages import EditRequest
from worker.contract.model_spec import ModelSpec
from worker.contract.parameters import Task
from worker.contract.reading import Reading, reading_of
from worker.contract.revocations import Revocations
from worker.contract.row_warnings import RowWarning
from worker.contract.seeds import image_seed
from worker.editing.record import RowRecord
from worker.health.retrying import Retrying
from worker.pictures import decoding, files, fitting
from worker.pictures.confine import Limits, confined
from worker.pictures.encoding import require_encodable
from worker.pictures.pixel_budget import PixelBudget
from worker.pictures.places.choosing import confined_place
from worker.pictures.sources import source_of

Answer = TypeVar("Answer")
#: The one to edit, then its references; none where a picture is made from the instruction alone.
Pictures = tuple[Image.Image, ...]
Batcher = MicroBatcher[EditJob, list[Image.Image]]


class RowEditor:
    """Edits rows, each in the thread that calls; knows no Celery."""

    def __init__(
        self,
        *,
        spec: ModelSpec,
        task: Task,
        profile: str,
        weights: str,
        reading: Callable[[str], Reading | None],
        adapters: Callable[[Sequence[Lora]], tuple[Adapter, ...]],
        limits: Limits,
        batcher: Batcher,
        retrying: Retrying,
        client: redis.Redis,
    ) -> None:
        """`profile`, `weights`, `reading` and `adapters` are the model's own (`worker.models.protocol`)."""
        self._spec = spec
        self._task = task
        self._profile = profile
        self._weights = weights
        self._reading = reading
        self._adapters = adapters
        self._limits = limits
        self._pixels = PixelBudget(limits.max_pixels)
        self._batcher = batcher
        self._retrying = retrying
        self._client = client
        #: The rows that wait for the GPU or are on it: their runs, and what they wait for.
        self._riding: set[tuple[str, Future[Batched[list[Image.Image]]]]] = set()

    def edit(self, request: EditRequest, record: RowRecord, ticket: Ticket) -> None:
        """Edit a row and save its images; note in `record` what becomes known of it.

        Raises:
            RowError: the row cannot be edited.
            Unwanted: nobody waits for it any more.
            GivenBack: the worker is shutting down, or another has nothing to do.

        """
        request = self._confined(request)
        if request.profile not in {None, self._profile}:  # put into this queue by hand
            raise RowError(f"its run demands profile {request.profile}, and this worker has {self._profile}.")
        if request.task != self._task:  # the same
            raise RowError(f"its run is for {request.task}, and this worker for {self._task}.")
        with record.stage("decode"):
            self._drop_if_unwanted(request)
            self._read(request, record)
            plan, fitted = self._with_storage(lambda: self._prepare(request, record), request)
            if fitted is None:
                return
            adapters = self._with_storage(lambda: self._adapters(self._loras(request)), request)
        batched = self._ride(request, plan, fitted, ticket, adapters)
        record.rode(batched, profile=self._profile, weights=self._weights, adapters=adapters)
        with record.stage("encode"):
            self._with_storage(lambda: self._save(request, plan, batched.result), request)

    def drop(self, run: str) -> None:
        """Let go of a run's rows that wait for the GPU; those on it are dropped before they are saved."""
        for owner, future in tuple(self._riding):
            if owner == run:
                future.cancel()

    def pass_on(self, tags: Collection[str]) -> bool:
        """Give back those of some deliveries that wait behind a batch on the GPU; return whether there is one."""
        return self._batcher.pass_on(lambda job: job.ticket.tag in tags)

    def clean_up(self, request: EditRequest) -> None:
        """Drop what workers that died have left of a row."""
        with suppress(RowError):
            files.drop_temporaries(self._confined(request))

    def _confined(self, request: EditRequest) -> EditRequest:
        place = confined_place(request.output_dir, self._limits.output_root)
        return request.model_copy(update={"output_dir": place})

    def _read(self, request: EditRequest, record: RowRecord) -> None:
        """Note how much of the instruction the model reads, and warn where it is not all."""
        reading, is_cut = reading_of(request, self._reading)
        if reading is not None:
            record.reads(reading)
        if is_cut:
            record.warn(RowWarning.INSTRUCTION_CUT)

    def _prepare(self, request: EditRequest, record: RowRecord) -> tuple[Fit, Pictures | None]:
        """Return the row's way, and its pictures at their buckets' sizes; None where the row was done before."""
        if request.task == "text2image":
            plan = plan_made(request.size)
            record.decoded([], plan.bucket)
            return plan, () if self._is_to_do(request, plan) else None
        most = self._limits.max_pixels
        pictures = [source_of(image, self._limits) for image in request.images]
        # By their headers: of a hundred large pictures not one is decoded.
        sizes = [decoding.size_of(picture, max_pixels=most, root=self._limits.input_root) for picture in pictures]
        pixels = area_of(sizes, max_pixels=most)
        with self._pixels.taken(pixels):
            if self._batcher.closing.is_set():
                raise GivenBack
            sources = [decoding.read(picture, max_pixels=most, root=self._limits.input_root) for picture in pictures]
            picture, *others = self._pictures(request, [source.image for source in sources])
            plan = plan_fit(*picture.size, self._spec.buckets, request.size)
            record.decoded([source.digest for source in sources], plan.bucket)
            record.warn(*chain.from_iterable(source.warnings for source in sources))
            if not self._is_to_do(request, plan):
                return plan, None
            return plan, (fitting.fit(picture, plan), *map(self._fitted, others))

    def _is_to_do(self, request: EditRequest, plan: Fit) -> bool:
        require_encodable(request.image_format, plan.output)
        # At-least-once delivery: a row that was already done is answered without the GPU.
        if is_done := files.finished(request):
            files.drop_temporaries(request)
        return not is_done

    def _pictures(self, request: EditRequest, images: list[Image.Image]) -> list[Image.Image]:
        """Return the picture to edit, and its references."""
        return images if request.references else [fitting.stitch(images, max_pixels=self._limits.max_pixels)]

    def _fitted(self, reference: Image.Image) -> Image.Image:
        return fitting.fit(reference, plan_fit(*reference.size, self._spec.buckets, "auto"))

    def _loras(self, request: EditRequest) -> list[Lora]:
        """Return a row's LoRAs, as far as this worker may read them."""
        limits, loras = self._limits, [lora_of(text) for text in request.lora]
        if (
            limits.lora_root is not None
            and (far := next((lora for lora in loras if not lora.is_path), None)) is not None
        ):
            raise RowError(f"lora {far.name}: is on the hub, and this worker reads LoRAs from FLEET_LORA_ROOT alone.")
        root: Path | str | None = limits.lora_root
        setting = "FLEET_LORA_ROOT"
        if root is None:
            root, setting = limits.input_root, "FLEET_INPUT_ROOT"
        paths = [confined(Path(lora.name), root, setting) if lora.is_path else lora.name for lora in loras]
        return [lora._replace(name=str(path)) for lora, path in zip(loras, paths, strict=True)]

    def _ride(
        self, request: EditRequest, plan: Fit, fitted: Pictures, ticket: Ticket, adapters: tuple[Adapter, ...]
    ) -> Batched[list[Image.Image]]:
        key = BatchKey(
            bucket=plan.bucket,
            steps=request.steps,
            guidance=request.guidance,
            true_cfg_scale=request.true_cfg_scale,
            num_images=request.num_images,
            references=tuple(Bucket(*reference.size) for reference in fitted[1:]),
            adapters=adapters,
            task=request.task,
        )
        seeds = tuple(image_seed(request.seed, index) for index in range(request.num_images))
        picture = fitted[0] if fitted else None
        job = EditJob(ticket, picture, request.prompt, request.negative_prompt, seeds, fitted[1:])
        future = self._batcher.submit(key, job)
        riding = (request.run, future)
        self._riding.add(riding)
        try:
            return future.result()
        except CancelledError:
            raise Unwanted(f"row {request.row}: its run was cancelled.") from None
        finally:
            self._riding.discard(riding)

    def _save(self, request: EditRequest, plan: Fit, edited: list[Image.Image]) -> None:
        with self._pixels.taken(plan.output[0] * plan.output[1]):
            # One at a time: under the size "input" each may have a hundred megapixels.
            restored = (fitting.restore(picture, plan) for picture in edited)
            files.save(
                request,
                restored,
                profile=self._profile,
                confirm=lambda: self._confirm(request),
                root=self._limits.output_root,
            )

    def _with_storage(self, work: Callable[[], Answer], request: EditRequest) -> Answer:
        return self._retrying.with_storage(work, request.name)

    def _drop_if_unwanted(self, request: EditRequest) -> None:
        revocations, row = Revocations(self._client, request.run), request.row
        why = self._retrying.with_redis(lambda: revocations.why_unwanted(row, request.fingerprint), request.name)
        if why is not None:
            raise Unwanted(f"row {row}: {why}.")

    def _confirm(self, request: EditRequest) -> None:
        """Look again: the row may have changed while this form of it was on the GPU."""
        # A worker that shuts down while Redis is away keeps what the GPU has made; it is known again.
        with suppress(GivenBack):
            self._drop_if_unwanted(request)
