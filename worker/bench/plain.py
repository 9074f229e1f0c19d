"""diffusers' own pipelines, as somebody without this fleet calls them: PIL in and out, and nothing changed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from PIL import Image

from worker.bench.photos import Row
from worker.contract.buckets import Bucket
from worker.contract.model_spec import ModelSpec

#: Images in a call of DataFlow, by its default.
DATAFLOW_BATCH: Final = 4


class Plain:
    """A pipeline as diffusers has it, with noise from the device's own generator."""

    attention = "native"
    passes = 1
    steps_to_compile = 1

    def __init__(self, pipeline: Any, spec: ModelSpec) -> None:
        # It does nothing here: no network of these pipelines has it. DataFlow asks for it.
        pipeline.enable_attention_slicing()
        self._pipeline = pipeline
        self._spec = spec

    def edit(self, bucket: Bucket, rows: Sequence[Row], steps: int) -> list[Image.Image]:
        """Edit rows at a resolution."""
        return _CALLS[self._spec.family](self._pipeline, self._spec, bucket, rows, steps)


def images_of_plain(spec: ModelSpec) -> int | None:
    """Return how many images plain diffusers is measured with in a call; None where it is not measured."""
    if spec.family not in _CALLS:
        return None
    return DATAFLOW_BATCH if spec.family == "kontext" else 1


def _kontext(pipeline: Any, spec: ModelSpec, bucket: Bucket, rows: Sequence[Row], steps: int) -> list[Image.Image]:
    """Call it as DataFlow's `LocalImageGenServing` does, whose size is always 1024 x 1024."""
    edited: list[Image.Image] = pipeline(
        image=[row.picture for row in rows],
        prompt=[row.instruction for row in rows],
        height=bucket.height,
        width=bucket.width,
        max_area=bucket.width * bucket.height,
        _auto_resize=bucket == (1024, 1024),  # the tiny model's pictures are no size of Kontext's
        num_inference_steps=steps,
        guidance_scale=spec.guidance,
        num_images_per_prompt=1,
    ).images
    return edited


def _flux2(pipeline: Any, spec: ModelSpec, bucket: Bucket, rows: Sequence[Row], steps: int) -> list[Image.Image]:
    """Call it row by row: pictures of one call would be references of every row."""
    layers = pipeline.text_encoder.config.num_hidden_layers  # 36; the tiny one has fewer than the pipeline expects
    guidance = {"guidance_scale": spec.guidance} if spec.pipeline == "Flux2KleinPipeline" else {}
    return [
        pipeline(
            image=row.picture,
            prompt=row.instruction,
            height=bucket.height,
            width=bucket.width,
            num_inference_steps=steps,
            text_encoder_out_layers=(layers // 4, layers // 2, 3 * layers // 4),
            **guidance,
        ).images[0]
        for row in rows
    ]


_CALLS: Final[Mapping[str, Callable[[Any, ModelSpec, Bucket, Sequence[Row], int], list[Image.Image]]]] = {
    "kontext": _kontext,
    "klein": _flux2,
    "klein_kv": _flux2,
}
