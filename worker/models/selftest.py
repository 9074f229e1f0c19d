"""The built-in picture: by editing it a model proves that it works, before it takes rows and after one has failed."""

from typing import Final

from PIL import Image

from worker.batching.jobs import BatchKey, EditJob, Ticket
from worker.contract.errors import ModelError
from worker.contract.model_spec import ModelSpec
from worker.models.protocol import EditModel

INSTRUCTION: Final = "Make the sky a little brighter."

#: Few, since a result is asked for and not a good one; one alone would leave out the scheduler.
_STEPS: Final = 2


def run_selftest(model: EditModel, spec: ModelSpec, like: BatchKey | None = None) -> None:
    """Have the model edit the built-in picture, at its square resolution or as rows of another key are edited.

    Raises:
        ModelError: the result is no picture, as it is where weights are damaged or a GPU calculates wrong.
        Exception: whatever the model raises.

    """
    usual = BatchKey(bucket=spec.square, steps=_STEPS, guidance=spec.guidance, true_cfg_scale=1.0, num_images=1)
    key = usual if like is None else like._replace(steps=_STEPS, num_images=1)
    [[edited]] = model.edit(key, [job_for(key)], 1)
    if edited.mode != "RGB" or edited.size != key.bucket:
        raise ModelError(
            f"The model makes of the built-in picture one of {edited.mode} {edited.size}, not {key.bucket}."
        )
    # Damaged weights give no numbers, and no numbers become black.
    if edited.getcolors(1) is not None:
        raise ModelError("The model makes of the built-in picture a single colour: its weights or this GPU are broken.")


def job_for(key: BatchKey) -> EditJob:
    """Return the built-in picture as a row of this key."""
    negative = "" if key.true_cfg_scale > 1 else None
    others = tuple(_picture(size) for size in key.references)
    return EditJob(Ticket("the built-in picture", 0, "", ""), _picture(key.bucket), INSTRUCTION, negative, (0,), others)


def _picture(size: tuple[int, int]) -> Image.Image:
    """Paint a picture of gradients: it differs from place to place and from channel to channel."""
    down, round_ = Image.linear_gradient("L").resize(size), Image.radial_gradient("L").resize(size)
    return Image.merge("RGB", (down, down.transpose(Image.Transpose.ROTATE_90).resize(size), round_))
