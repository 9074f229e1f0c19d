"""The models that the fleet knows, as far as a producer needs to know them; no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from worker.contract.buckets import DEMO_BUCKETS, KONTEXT_BUCKETS, Bucket, nearest
from worker.contract.profiles import ProfileName

#: Tokens that FLUX reads of an instruction: `max_sequence_length` of diffusers' pipeline.
FLUX_TOKENS: Final = 512


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A model family's own defaults and limits."""

    #: The name in `FLEET_DIFFUSER_MODEL_NAME` and `--model`.
    name: str
    #: Resolutions that the model works at.
    buckets: tuple[Bucket, ...]
    #: What each side of an explicit size must be a multiple of, in pixels.
    multiple: int
    #: Denoising steps where the user names none.
    steps: int
    #: Guidance where the user names none.
    guidance: float
    #: Tokens that it reads of an instruction, and the folder, among its weights', of the tokenizer that counts them.
    tokens: int
    tokenizer: str
    #: Whether it is refused on a machine without CUDA (12 billion parameters are no job for a CPU).
    needs_cuda: bool
    #: The profile that it runs in on a GPU where the user names none.
    profile: ProfileName

    @property
    def square(self) -> Bucket:
        """The resolution at which batch sizes are meant and at which the model proves that it works."""
        return nearest(1, 1, self.buckets)


#: Steps and guidance of FLUX-Kontext are those of its model card and of DataFlow's guide. A token of its transformer is
#: 2 × 2 latent pixels, a latent pixel 8 × 8 of the picture: hence multiples of 16.
MODELS: Final = {
    spec.name: spec
    for spec in (
        ModelSpec(
            name="FLUX-Kontext", buckets=KONTEXT_BUCKETS, multiple=16, steps=28, guidance=3.5,
            tokens=FLUX_TOKENS, tokenizer="tokenizer_2", needs_cuda=True, profile="exact",
        ),
        ModelSpec(
            name="demo", buckets=DEMO_BUCKETS, multiple=16, steps=8, guidance=3.5,
            tokens=FLUX_TOKENS, tokenizer="tokenizer_2", needs_cuda=False, profile="reference",
        ),
    )
}  # fmt: skip


def model_id(name: str, weights: str, revision: str | None) -> str:
    """Name one exact set of weights, the same for producer and worker.

    The demo model's weights come with this package, so its name says it all. A local folder is named by its absolute
    path, which producer and workers share like any other path.
    """
    if name == "demo":
        return name
    folder = Path(weights).expanduser()
    where = str(folder.absolute()) if folder.is_dir() or weights.startswith(("/", "./", "../", "~")) else weights
    return f"{name}:{where}@{revision or 'main'}"
