"""The command of the bench: `python -m worker.bench`."""

import json
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import torch

from worker.bench.editors import LoadPipeline
from worker.bench.environment import describe
from worker.bench.fidelity import Fidelity, compare
from worker.bench.options import with_options
from worker.bench.pace import share
from worker.bench.parts import Wanted, parts_of
from worker.bench.photos import read_photos
from worker.bench.results import Measured
from worker.bench.running import Bench
from worker.bench.sizes import Size, SizeName, real_of, size_of
from worker.bench.table import as_json, report
from worker.contract.errors import FleetError, RunError
from worker.models.registry import random_pipeline
from worker.models.speed.device import dtype_on, leave_a_core
from worker.models.weights.fetching import fetch_weights
from worker.models.weights.loading import load_pipeline
from worker.settings.fleet import load_settings


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@with_options
def main(
    *,
    family: str,
    size: SizeName | None,
    checkpoint: Path | None,
    photos: Path,
    output: Path | None,
    compile_cache: Path | None,
    **how: Any,
) -> None:
    """Measure what each profile costs and what it changes, side by side in this process."""
    begun = time.monotonic()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("worker").setLevel(logging.INFO)
    size = size or ("full" if torch.cuda.is_available() else "tiny")
    model = size_of(family, size)
    device = _device(size, model)
    pictures = read_photos(photos)
    if not pictures:
        raise click.UsageError(f"--photos: {photos} holds no picture.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as new:
        try:
            load, weights = _weights(model, family, checkpoint, device)
            wanted = Wanted(
                size=model,
                profiles=how["profiles"],
                attention=how["attention"],
                compiled=how["compiled"],
                shapes=model.shapes(how["resolutions"], how["batch"]),
                photos=len(pictures),
                compile_cache=compile_cache or Path(new),
            )
            bench = Bench(
                load=load,
                network=model.network,
                device=device,
                photos=pictures,
                rounds=how["rounds"],
                clock=time.monotonic,
                tell=_tell,
            )
            is_whole = _run(bench, wanted, weights, begun=begun, limit=how["limit"], output=output)
        except FleetError as error:
            raise click.ClickException(str(error)) from None
    if not is_whole:
        raise SystemExit(1)


def _run(bench: Bench, wanted: Wanted, weights: str, *, begun: float, limit: float, output: Path | None) -> bool:
    """Measure and print everything; return whether nothing broke off."""
    environment = describe(bench.device, wanted.size.spec, weights, sys.argv[1:])
    parts = parts_of(wanted)
    measured, fidelity = [part.measured for part in parts], list[Fidelity]()
    _save(output, environment, measured, fidelity)
    for number, part in enumerate(parts):
        deadline = share(begun, limit, bench.clock(), len(parts) - number)
        bench.measure(part.measured, part.edit_with, part.whole, deadline)
        fidelity += [
            compare(part.measured.label, part.measured.pictures, other.label, other.pictures)
            for other in measured[:number]
            if part.measured.pictures and other.pictures
        ]
        _save(output, environment, measured, fidelity)  # each time: a machine on loan may be gone before the end
    click.echo(report(environment, measured, fidelity))
    return not any(one.error for one in measured)


def _device(size: SizeName, model: Size) -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if model.spec.needs_cuda:
        raise click.ClickException(
            f"--size {size} needs a CUDA GPU and PyTorch {torch.__version__} finds none; "
            "run on a machine with one, or use --size tiny."
        )
    leave_a_core()  # as a worker does, and before anything is timed
    return torch.device("cpu")


def _weights(model: Size, family: str, checkpoint: Path | None, device: torch.device) -> tuple[LoadPipeline, str]:
    """Return what makes a new pipeline, and what its weights are.

    Raises:
        ModelError: the checkpoint is none, or of another model.

    """
    if checkpoint is not None:
        settings = load_settings(
            diffuser_model_name=real_of(family).name, hf_model_name_or_path=str(checkpoint.absolute())
        )
        return partial(load_pipeline, fetch_weights(settings), device), f"the checkpoint {checkpoint.name}"
    random = partial(random_pipeline, model.spec, device=device, dtype=dtype_on(device))
    return random, "random; every picture is noise, and fidelity means less than with --checkpoint"


def _tell(progress: str) -> None:
    click.echo(progress, err=True)


def _save(
    output: Path | None, environment: dict[str, str], measured: Sequence[Measured], fidelity: Sequence[Fidelity]
) -> None:
    if output is None:
        return
    try:
        output.write_text(json.dumps(as_json(environment, measured, fidelity), indent=2) + "\n")
    except OSError as error:
        raise RunError(
            f"The numbers cannot be written to {output} ({error.strerror}); name another --output."
        ) from None


if __name__ == "__main__":
    main()
