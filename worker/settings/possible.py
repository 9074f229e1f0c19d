"""What a model or a task cannot do, as far as settings ask for it."""

from worker.contract.catalog import checkpoint_of, doing
from worker.contract.model_spec import ModelSpec
from worker.contract.parameters import MultiImage, Size, Task, Turns, exact_size


def impossible(
    spec: ModelSpec, *, weights: str, guidance: float | None, multi_image: MultiImage, fuse_qkv: bool | None
) -> str | None:
    """Say what is asked of a model that it cannot do, in a sentence without its dot; None where it can do all."""
    known = checkpoint_of(weights) if spec.source == "hub" else None
    if known is not None and known[0] != spec:
        return (
            f"FLEET_HF_MODEL_NAME_OR_PATH: {weights} is no {spec.name}; set"
            f" FLEET_DIFFUSER_MODEL_NAME={known[0].name} for it, or leave the weights out"
        )
    # Its own, 1, is what a run remembers of a distilled model.
    if spec.guided == "none" and guidance not in {None, spec.guidance}:
        return f"FLEET_DIFFUSER_GUIDANCE_SCALE: {spec.name} is distilled and takes no guidance; leave it out"
    if multi_image == "references" and spec.references == 1:
        return (
            f"FLEET_MULTI_IMAGE: {spec.name} takes one picture and no references beside it;"
            " stitch puts several side by side"
        )
    if fuse_qkv and not spec.fuses:
        return f"FLEET_FUSE_QKV: {spec.name} has no projections that diffusers can fuse; leave it out"
    return None


def out_of_task(spec: ModelSpec, task: Task, *, size: Size | None, multi_image: MultiImage, turns: Turns) -> str | None:
    """Say the same of what a model is to do: that it does not do it, or what makes no sense without a picture."""
    if task not in spec.tasks:
        *others, last = doing(task)
        return (
            f"FLEET_IMAGE_GEN_TASK: {spec.name} does {' and '.join(spec.tasks)}, and no {task}; set it so, or name a"
            f" model that does {task}: {', '.join(others)} or {last}"
        )
    if task == "imageedit":
        return None
    if size is not None and exact_size(size) is None:
        return (
            f"FLEET_SIZE: {size} follows from a picture, and text2image has none; name a width and a height such as"
            f" {spec.square}, or leave it out"
        )
    if multi_image != "first":
        return f"FLEET_MULTI_IMAGE: text2image takes no pictures, and {multi_image} would do nothing; leave it out"
    if turns != "last":
        return (
            f"FLEET_TURNS: text2image edits no picture, not even its own, as {turns} would; leave it out, and edit the"
            " output in another run"
        )
    return None
