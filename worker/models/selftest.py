"""The built-in picture: by editing it a model proves that it works, before it takes rows and after one has failed.

A model that makes pictures from instructions alone proves it by a built-in instruction.
"""

from typing import Final

from PIL import Image

from worker.batching.jobs import BatchKey, EditJob, Ticket
from worker.contract.buckets import Bucket
from worker.contract.errors import ModelError
from worker.contract.model_spec import ModelSpec
from worker.contract.parameters import Task
from worker.models.protocol import EditModel

#: For an edit, and for a picture that is made from nothing.
INSTRUCTION: Final = "Make the sky a little brighter."
DESCRIPTION: Final = "A house by a lake, under a bright sky."

#: Few, since a result is asked for and not a good one; one alone would leave out the scheduler.
_STEPS: Final = 2


def run_selftest(model: EditModel, spec: ModelSpec, task: Task = "imageedit", like: BatchKey | None = None) -> None:
    """Have the model do its task with what is built in, at its square resolution or as rows of another key are done.

    Raises:
        ModelError: the result is no picture, as it is where weights are damaged or a GPU calculates wrong.
        Exception: whatever the model raises.

    """
    key = usual_key(spec, spec.square, task) if like is None else like._replace(steps=_STEPS, num_images=1)
    [[made]] = model.edit(key, [job_for(key)], 1)
    of = "picture" if key.task == "imageedit" else "instruction"
    if made.mode != "RGB" or made.size != key.bucket:
        raise ModelError(
            f"The model makes of the built-in {of} a picture of {made.mode} {made.size}, not {key.bucket}."
        )
    # Damaged weights give no numbers, and no numbers become black.
    if made.getcolors(1) is not None:
        raise ModelError(f"The model makes of the built-in {of} a single colour: its weights or this GPU are broken.")


def usual_key(spec: ModelSpec, bucket: Bucket, task: Task, *, steps: int = _STEPS) -> BatchKey:
    """Return the key of rows without parameters of their own, but for their steps."""
    return BatchKey(bucket=bucket, steps=steps, guidance=spec.guidance, true_cfg_scale=1.0, num_images=1, task=task)


def job_for(key: BatchKey) -> EditJob:
    """Return what is built in as a row of this key."""
    ticket, negative = Ticket("the built-in picture", 0, "", ""), "" if key.true_cfg_scale > 1 else None
    if key.task == "text2image":
        return EditJob(ticket, None, DESCRIPTION, negative, (0,))
    others = tuple(_picture(size) for size in key.references)
    return EditJob(ticket, _picture(key.given or key.bucket), INSTRUCTION, negative, (0,), others)


def _picture(size: tuple[int, int]) -> Image.Image:
    """Paint a picture of gradients: it differs from place to place and from channel to channel."""
    down, round_ = Image.linear_gradient("L").resize(size), Image.radial_gradient("L").resize(size)
    return Image.merge("RGB", (down, down.transpose(Image.Transpose.ROTATE_90).resize(size), round_))
