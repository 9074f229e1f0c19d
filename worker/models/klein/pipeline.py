"""diffusers' Flux2KleinPipeline, where each row of a batch has references of its own; the KV one takes that, too."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import torch
from diffusers import Flux2KleinPipeline
from PIL import Image
from torch import Tensor

#: Stands where the pipeline wants pictures. It takes them as PIL's alone, for references of every row, shrinks those of
#: more than a megapixel (of Kontext's resolutions two are) and refuses sides below 64 pixels; all that comes of this
#: one is that `prepare_image_latents` is called.
STAND_IN: Final = Image.new("RGB", (64, 64))


class OwnReferences:
    """Stands before a pipeline of FLUX.2 [klein] in a class: only `prepare_image_latents` is another."""

    #: References of the call's rows: for each place (rows, 3, height, width), from 0 to 1.
    _references: Sequence[Tensor] = ()

    @contextmanager
    def referring_to(self, references: Sequence[Tensor]) -> Iterator[None]:
        """Have the call inside edit these pictures."""
        self._references = references
        try:
            yield
        finally:
            self._references = ()

    def prepare_image_latents(
        self, images: Any, batch_size: int, generator: Any, device: torch.device, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        """Return the references' latents (rows, tokens, channels), and their positions (rows, tokens, 4).

        The positions of a reference begin at time 10, of a second one at 20, and so on, as diffusers has them.
        """
        del images  # the stand-in
        own: Any = self  # diffusers is typed in part
        pictures = [own.image_processor.normalize(reference).to(device, dtype) for reference in self._references]
        latents = [own._encode_vae_image(picture, generator) for picture in pictures]  # noqa: SLF001 - ours by birth
        positions = own._prepare_image_ids([one[:1] for one in latents])  # noqa: SLF001
        packed = torch.cat([own._pack_latents(one) for one in latents], dim=1)  # noqa: SLF001
        return packed.to(device), positions.expand(batch_size, -1, -1).to(device)


class RowsPipeline(OwnReferences, Flux2KleinPipeline):
    """The plain pipeline, whose rows have references of their own."""

    @classmethod
    def of(cls, pipeline: Any) -> Any:
        """Take the parts of diffusers' own."""
        rows: Any = cls(**pipeline.components, is_distilled=pipeline.config.is_distilled)
        rows.set_progress_bar_config(disable=True)
        return rows
