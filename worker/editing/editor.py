"""A row's way through the worker: decode, ride in a micro-batch, encode. Imports no torch."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import TypeVar

import redis
from PIL import Image

from worker.batching.jobs import Adapter, Ticket
from worker.contract.buckets import Fit
from worker.contract.errors import GivenBack, RowError, Unwanted
from worker.contract.lora import Lora, lora_of
from worker.contract.messages import EditRequest
from worker.contract.model_spec import ModelSpec
from worker.contract.parameters import Task
from worker.contract.reading import Reading, reading_of
from worker.contract.revocations import Revocations
from worker.contract.row_warnings import RowWarning
from worker.contract.turns import turns_of
from worker.editing.preparing import Prepared, Preparing
from worker.editing.record import RowRecord
from worker.editing.riding import Batcher, Rides
from worker.health.retrying import Retrying
from worker.pictures import files, fitting
from worker.pictures.confine import Limits, confined
from worker.pictures.pixel_budget import PixelBudget
from worker.pictures.places.choosing import confined_place

Answer = TypeVar("Answer")


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
        self._task = task
        self._profile = profile
        self._weights = weights
        self._reading = reading
        self._adapters = adapters
        self._limits = limits
        self._pixels = PixelBudget(limits.max_pixels)
        self._preparing = Preparing(spec, limits, self._pixels, batcher.closing)
        self._rides = Rides(batcher)
        self._retrying = retrying
        self._client = client

    def edit(self, request: EditRequest, record: RowRecord, ticket: Ticket) -> None:
        """Edit a row and save its images; note in `record` what becomes known of it.

        Raises:
            RowError: the row cannot be edited.
            Unwanted: nobody waits for it any more.
            GivenBack: the worker is shutting down, or another has nothing to do.

        """
        request = self._confined(request)
        self._require_ours(request)
        with record.stage("decode"):
            self._drop_if_unwanted(request)
            self._read(request, record)
            prepared = self._with_storage(lambda: self._preparing.first(request, record), request)
            if prepared is None:
                return
            adapters = self._with_storage(lambda: self._adapters(self._loras(request)), request)
        made: list[tuple[Fit, list[Image.Image]]] = []
        for turn in turns_of(request):
            if made:
                prepared = self._following(request, record, prepared, made[-1][1])
            batched = self._rides.ride(request, turn, prepared, ticket, adapters)
            record.rode(batched, profile=self._profile, weights=self._weights, adapters=adapters)
            made.append((prepared.plan, batched.result))
        with record.stage("encode"):
            self._with_storage(lambda: self._save(request, made), request)

    def drop(self, run: str) -> None:
        """Let go of a run's rows that wait for the GPU; those on it are dropped before they are saved."""
        self._rides.drop(run)

    def pass_on(self, tags: Collection[str]) -> bool:
        """Give back those of some deliveries that wait behind a batch on the GPU; return whether there is one."""
        return self._rides.pass_on(tags)

    def clean_up(self, request: EditRequest) -> None:
        """Drop what workers that died have left of a row."""
        with suppress(RowError):
            files.drop_temporaries(self._confined(request))

    def _confined(self, request: EditRequest) -> EditRequest:
        place = confined_place(request.output_dir, self._limits.output_root)
        return request.model_copy(update={"output_dir": place})

    def _require_ours(self, request: EditRequest) -> None:
        if request.profile not in {None, self._profile}:  # put into this queue by hand
            raise RowError(f"its run demands profile {request.profile}, and this worker has {self._profile}.")
        if request.task != self._task:  # the same
            raise RowError(f"its run is for {request.task}, and this worker for {self._task}.")

    def _read(self, request: EditRequest, record: RowRecord) -> None:
        """Note how much of the instruction the model reads, and warn where it is not all."""
        reading, is_cut = reading_of(request, self._reading)
        if reading is not None:
            record.reads(reading)
        if is_cut:
            record.warn(RowWarning.INSTRUCTION_CUT)

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

    def _following(
        self, request: EditRequest, record: RowRecord, before: Prepared, made: list[Image.Image]
    ) -> Prepared:
        with record.stage("decode"):
            self._drop_if_unwanted(request)
            return self._preparing.following(request, before, made)

    def _save(self, request: EditRequest, made: Sequence[tuple[Fit, list[Image.Image]]]) -> None:
        """Save what was made in each turn."""
        with self._pixels.taken(max(prod(plan.output) for plan, _ in made)):
            # One at a time: under the size "input" each may have a hundred megapixels.
            restored = (fitting.restore(picture, plan) for plan, pictures in made for picture in pictures)
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
