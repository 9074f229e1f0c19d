"""Training of the autoencoder, which makes 24 numbers of every 8 × 8 pixels, and pixels of them again."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from worker.models.demo.edits import EDITS, edited
from worker.models.demo.train.data import crops
from worker.models.demo.train.state import Progress, generator_of

logger = logging.getLogger(__name__)

#: Pictures in a step, and their side in pixels.
_BATCH: Final = 16
_SIDE: Final = 96


@dataclass(frozen=True, kw_only=True)
class Round:
    """Steps with one schedule of the learning rate, and what an error costs in them; pixels are from -1 to 1."""

    steps: int
    rate: float
    #: Of the mean absolute error; the mean square one counts 2.
    absolute: float
    #: Of the latents' mean distance from a normal distribution (Kullback-Leibler): what noise they have to bear.
    spread: float


#: First to spread what matters over the latents, then for pixels.
ROUNDS: Final = (
    Round(steps=4200, rate=1.5e-3, absolute=0.25, spread=1e-3),
    Round(steps=3300, rate=2e-3, absolute=0.1, spread=2e-4),
)


def train_autoencoder(
    vae: Any, pictures: Tensor, work: Path, *, seed: int, rounds: tuple[Round, ...] = ROUNDS
) -> float:
    """Teach it to rebuild pictures of a bank, some of them edited; return the seconds that its steps took.

    What was reached is kept in `work`.
    """
    vae.train().to(memory_format=torch.channels_last)
    seconds = 0.0
    for number, one in enumerate(rounds):
        seconds += _train(vae, pictures, work / f"autoencoder-{number}.pt", one, seed + number)
    vae.eval()
    return seconds


def _train(vae: Any, pictures: Tensor, file: Path, one: Round, seed: int) -> float:
    optimizer = torch.optim.AdamW(vae.parameters(), betas=(0.9, 0.99), weight_decay=1e-4)
    progress = Progress(file, {"vae": vae, "optimizer": optimizer}, steps=one.steps, rate=one.rate, seed=seed)
    errors = []
    for step in progress:
        generator = generator_of(seed, step)
        batch = _some_edited(crops(pictures, _BATCH, _SIDE, generator), generator)
        wanted = batch.to(vae.device, memory_format=torch.channels_last)
        loss, error = _losses(vae, one, wanted, generator)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        errors.append(error)
        if (step + 1) % 100 == 0 or step + 1 == one.steps:
            psnr = -10 * (torch.stack(errors[-100:]).mean() / 4).log10().item()
            logger.info("autoencoder: step %d of %d, %.2f dB, %.0f s", step + 1, one.steps, psnr, progress.seconds())
    return progress.seconds()


def _some_edited(pictures: Tensor, generator: torch.Generator) -> Tensor:
    names = list(EDITS)
    for place in range(0, len(pictures), 3):
        name = names[int(torch.randint(len(names), (), generator=generator))]
        pictures[place : place + 1] = edited(pictures[place : place + 1], [name])
    return pictures


def _losses(vae: Any, one: Round, pictures: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    wanted = 2 * pictures - 1
    with torch.autocast(wanted.device.type, torch.bfloat16):
        latents = vae.encode(wanted).latent_dist
        rebuilt = vae.decode(latents.sample(generator)).sample.float()
    square = (rebuilt - wanted).square().mean()
    spread = latents.kl().float().mean() / latents.mean[0].numel()
    return one.absolute * (rebuilt - wanted).abs().mean() + 2 * square + one.spread * spread, square.detach()
