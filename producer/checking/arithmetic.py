"""What a GPU's time for rows comes to where none of them was measured: their arithmetic, at a rate."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from worker.contract.buckets import Bucket
from worker.contract.catalog import checkpoint_of
from worker.contract.messages import EditRequest
from worker.contract.model_spec import Checkpoint
from worker.contract.profiles import computed_steps
from worker.contract.work import Network
from worker.settings.fleet import Settings

#: TFLOP/s of an H200 in large products of bf16, as measured (BENCHMARKS.md); of which models reach a part.
_ASSUMED: Final = 790.0


class Rate(NamedTuple):
    """How fast a GPU calculates, and who says so."""

    tflops: float
    #: One word, for scripts.
    by: str
    #: For people.
    words: str


def rate_of(weights: Checkpoint | None, given: float | None) -> Rate:
    """Return the rate that the user names, or the one that was measured with these weights, or an assumption."""
    if given is not None:
        return Rate(given, "given", "as given")
    if weights is not None and weights.seconds is not None:
        return Rate(1000 * weights.pflop / weights.seconds, "catalog", f"as measured with {weights.hub_id}")
    return Rate(_ASSUMED, "assumption", "an assumption: what an H200 reaches in large bf16 products, and models less")


class Arithmetic:
    """Counts the operations of rows, as far as the size of the model is known."""

    def __init__(self, settings: Settings) -> None:
        self._spec = settings.spec
        self._network = _network(settings)
        self._interval = settings.profile_on(gpu=True).step_interval

    @property
    def is_known(self) -> bool:
        """Whether there is anything to count with."""
        return self._network is not None

    def work(self, request: EditRequest, bucket: Bucket, pictures: Sequence[Bucket]) -> float:
        """Return the operations of the transformer for a row's images, of all turns, from pictures of these sizes."""
        if self._network is None:
            return 0.0
        steps = sum(computed_steps(request.steps, self._interval))
        passes = self._spec.passes(request.guidance, request.true_cfg_scale)
        # What a later turn edits is what the one before has made.
        turns = [pictures, *[(bucket, *pictures[1:])] * len(request.earlier_prompts)]
        tokens = (self._network.tokens(bucket, given) for given in turns)
        return request.num_images * sum(self._network.picture(one, steps=steps, passes=passes) for one in tokens)


def _network(settings: Settings) -> Network | None:
    """Return the size of the weights: as a local folder has it, or the catalog."""
    spec = settings.spec
    if not spec.checkpoints:
        return None
    folder = Path(settings.weights).expanduser()
    if folder.is_dir():
        return _in_folder(folder, like=spec.checkpoints[0].network)
    known = checkpoint_of(settings.weights)
    return None if known is None else known[1].network


def _in_folder(folder: Path, like: Network) -> Network | None:
    try:
        config: Any = json.loads((folder / "transformer" / "config.json").read_text())
        return replace(
            like,
            width=int(config["num_attention_heads"]) * int(config["attention_head_dim"]),
            # Some have blocks of one kind alone.
            blocks=int(config["num_layers"]) + int(config.get("num_single_layers", 0)),
        )
    except (OSError, ValueError, TypeError, LookupError, AttributeError):  # a worker will say what is wrong with it
        return None
