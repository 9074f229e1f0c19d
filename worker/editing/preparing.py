"""A row's pictures on their way to the model: found, decoded and fitted to buckets; from turn to turn once more."""

from collections.abc import Sequence
from itertools import chain
from threading import Event
from typing import NamedTuple

from PIL import Image

from worker.contract.buckets import Fit, area_of, plan_fit, plan_made
from worker.contract.errors import GivenBack
from worker.contract.messages import EditRequest
from worker.contract.model_spec import ModelSpec
from worker.contract.strips import plan_strip
from worker.editing.record import RowRecord
from worker.pictures import decoding, files, fitting
from worker.pictures.confine import Limits
from worker.pictures.encoding import require_encodable
from worker.pictures.pixel_budget import PixelBudget
from worker.pictures.sources import sources_of


class Prepared(NamedTuple):
    """What the model gets of a row in one turn. RGB."""

    plan: Fit
    #: What the turn's images are made from, at the plan's size: one picture for all of them, or one for each; none
    #: where they are made from the instruction alone.
    edited: tuple[Image.Image, ...]
    #: The pictures beside it, at their own buckets' sizes.
    references: tuple[Image.Image, ...] = ()


class Preparing:
    """Prepares rows, each in the thread that calls."""

    def __init__(self, spec: ModelSpec, limits: Limits, pixels: PixelBudget, closing: Event) -> None:
        """Prepare for a model; `pixels` bounds what is held at full size, `closing` is set at the worker's end."""
        self._spec = spec
        self._limits = limits
        self._pixels = pixels
        self._closing = closing

    def first(self, request: EditRequest, record: RowRecord) -> Prepared | None:
        """Read a row's pictures; None where the row was done before. What is seen is noted in `record`.

        Raises:
            RowError: a picture cannot be read, or the output cannot be written.
            GivenBack: the worker is shutting down.

        """
        if request.task == "text2image":
            plan = plan_made(request.size)
            record.decoded([], plan.bucket)
            return Prepared(plan, ()) if self._is_to_do(request, plan) else None
        most = self._limits.max_pixels
        pictures = sources_of(request.images, self._limits)
        # By their headers: of a hundred large pictures not one is decoded.
        sizes = [decoding.size_of(picture, max_pixels=most, root=self._limits.input_root) for picture in pictures]
        pixels = area_of(sizes, max_pixels=most)
        with self._pixels.taken(pixels):
            if self._closing.is_set():
                raise GivenBack
            sources = [decoding.read(picture, max_pixels=most, root=self._limits.input_root) for picture in pictures]
            picture, *others = self._pictures(request, [source.image for source in sources])
            plan = self._plan(request, picture)
            record.decoded([source.digest for source in sources], plan.bucket)
            record.warn(*chain.from_iterable(source.warnings for source in sources))
            if not self._is_to_do(request, plan):
                return None
            return Prepared(plan, (fitting.fit(picture, plan),), tuple(map(self._fitted, others)))

    def following(self, request: EditRequest, before: Prepared, made: Sequence[Image.Image]) -> Prepared:
        """Prepare the next turn from what the model has made in the one before, as if that were a row's picture.

        Raises:
            RowError: the output cannot be written.

        """
        width, height = before.plan.output
        plan = plan_fit(width, height, self._spec.buckets, request.size)
        require_encodable(request.image_format, plan.output)
        fitted = []
        for picture in made:
            with self._pixels.taken(width * height):
                fitted.append(fitting.fit(fitting.restore(picture, before.plan), plan))
        return Prepared(plan, tuple(fitted), before.references)

    def _is_to_do(self, request: EditRequest, plan: Fit) -> bool:
        require_encodable(request.image_format, plan.output)
        # At-least-once delivery: a row that was already done is answered without the GPU.
        if is_done := files.finished(request):
            files.drop_temporaries(request)
        return not is_done

    def _pictures(self, request: EditRequest, images: list[Image.Image]) -> list[Image.Image]:
        """Return the picture to edit, and its references."""
        return images if request.references else [fitting.stitch(images, max_pixels=self._limits.max_pixels)]

    def _plan(self, request: EditRequest, picture: Image.Image) -> Fit:
        if len(request.images) > 1 and not request.references:
            return plan_strip(*picture.size, self._spec, request.size)
        return plan_fit(*picture.size, self._spec.buckets, request.size)

    def _fitted(self, reference: Image.Image) -> Image.Image:
        return fitting.fit(reference, plan_fit(*reference.size, self._spec.buckets, "auto"))
