"""`python -m worker.models.demo.train`: makes the demo model, from nothing but random numbers.

Interrupted at any time, the same command goes on from what it has kept in --work.
"""

import logging
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import click
import torch

from worker.contract.buckets import Bucket
from worker.contract.errors import ModelError
from worker.models.demo import CHECKPOINT
from worker.models.demo.train.autoencoder import ROUNDS, train_autoencoder
from worker.models.demo.train.data import bank
from worker.models.demo.train.export import Training, describe, export, photographs, require_place
from worker.models.demo.train.flow import STEPS, train_transformer
from worker.models.demo.train.latents import encode_all, normalise, weights
from worker.models.demo.train.networks import untrained

_FOLDER: Any = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.option("--work", type=_FOLDER, default=Path("demo-training"), show_default=True, help="Keeps what was reached.")
@click.option("--out", type=_FOLDER, default=CHECKPOINT, show_default=True, help="The checkpoint's folder.")
@click.option(
    "--photos", type=_FOLDER, default=Path("tests/photos"), show_default=True, help="To measure it on, *.jpg."
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=6, show_default=True)
@click.option(
    "--scale",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Of all pictures and steps; 0.01 for a quick try.",
)
@click.option("--only-measure", is_flag=True, help="Write model card and contact sheet of the checkpoint in --out.")
def main(work: Path, out: Path, photos: Path, seed: int, scale: float, *, only_measure: bool) -> None:
    """Train the demo model, and write its checkpoint, its model card and its contact sheet."""
    if scale < 1 and not only_measure and out.resolve() == CHECKPOINT.resolve():
        raise click.UsageError(
            "A try with --scale needs an --out of its own; it would take the place of the demo model."
        )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        images = photographs(photos)
        if not only_measure:
            require_place(out)
            work.mkdir(parents=True, exist_ok=True)
            device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
            pipeline = untrained(device, seed)
            training = _train(pipeline, work, seed, scale)
            export(pipeline, out.resolve(), training)
        describe(out, images)
    except (ModelError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{out} holds the checkpoint; its README.md has the table, and edits.jpg shows what it makes")


def _train(pipeline: Any, work: Path, seed: int, scale: float) -> Training:
    shown = bank(seed, Bucket(256, 256), max(16, int(1500 * scale)))
    rounds = tuple(replace(one, steps=max(1, int(one.steps * scale))) for one in ROUNDS)
    first = train_autoencoder(pipeline.vae, shown, work, seed=seed, rounds=rounds)
    sample = shown[:64].float() / 255
    normalise(pipeline.vae, sample)
    costs = weights(pipeline.vae, sample[:16])
    latents = encode_all(pipeline.vae, work, pictures=max(2, int(40 * scale)), seed=seed + 100)
    steps = max(1, int(STEPS * scale))
    second = train_transformer(pipeline, work / "transformer.pt", latents, costs, steps=steps, seed=seed)
    cuda = pipeline.device.type == "cuda"
    return Training(
        seed=seed,
        device=torch.cuda.get_device_name() if cuda else f"{torch.get_num_threads()} CPU cores",
        torch=torch.__version__.partition("+")[0],
        autoencoder=[one.steps for one in rounds],
        transformer=steps,
        minutes=[ceil(seconds / 60) for seconds in (first, second)],
    )


if __name__ == "__main__":
    main()
