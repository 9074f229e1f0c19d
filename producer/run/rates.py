"""What the model's work took in a run that was measured."""

from contextlib import suppress
from itertools import islice
from pathlib import Path
from statistics import median

from producer.run import opening
from producer.run.failures import ledger_errors
from producer.run.ledger import LEDGER, Ledger
from producer.run.manifest import remembered
from producer.run.records import Record, State
from worker.contract.buckets import Bucket
from worker.contract.errors import ContractError, FleetError, RunError
from worker.contract.messages import EditRequest, Outcome
from worker.contract.model_spec import ModelSpec
from worker.settings.fleet import Settings

#: Rows of a run that tell its seconds: enough for a median, and read in a second.
_SAMPLE = 10_000


def measured_in(folder: Path, settings: Settings) -> dict[Bucket, float]:
    """Return the seconds per pixel, image and step that a run of the same model and task took, by bucket.

    Raises:
        RunError: the folder holds no run, or none with a row that this model edited.

    """
    rates = _seconds_per_pixel(folder, settings)
    if not rates:
        raise RunError(f"The run folder {folder} holds no row that {settings.model} edited; name another.")
    return rates


def known_from(folder: Path, settings: Settings) -> dict[Bucket, float]:
    """Return the same of a run that need not be there; empty where it is not."""
    try:
        return _seconds_per_pixel(folder, settings) if (folder / LEDGER).is_file() else {}
    except FleetError:  # nobody has asked for it
        return {}


def passes_of(request: EditRequest, spec: ModelSpec) -> int:
    """Return how often the model is to run over a row's images: every step of each turn's, twice with true CFG."""
    images = len(request.prompts) * request.num_images
    return images * request.steps * spec.passes(request.guidance, request.true_cfg_scale)


def seconds_per_step(ledger: Ledger, settings: Settings) -> float | None:
    """Return the median GPU seconds of a pass of the model over one image; None where no row was measured."""
    steps = [
        outcome.share / _passes(outcome, settings)
        for record in islice((record for record in ledger.records() if record.state is State.DONE), _SAMPLE)
        if (outcome := _measured(record)) is not None
    ]
    return median(steps) if steps else None


def _measured(record: Record) -> Outcome | None:
    """Return what became of a row that the model edited; None of one of another version, or that was done already."""
    with suppress(ContractError):
        outcome = Outcome.decode(record.outcome or "")
        # A row that was recognised as finished rode in no batch.
        if outcome.bucket and outcome.batch_size and outcome.steps and outcome.paths:
            return outcome
    return None


def _passes(outcome: Outcome, settings: Settings) -> int:
    """Return how often the model ran over an image of the row's.

    A row's own guidance is not known any more: it is the run's nearly always.
    """
    images = outcome.turns * len(outcome.paths)
    return images * (outcome.steps or 0) * settings.spec.passes(settings.guidance, outcome.true_cfg_scale or 1)


def _seconds_per_pixel(folder: Path, settings: Settings) -> dict[Bucket, float]:
    """Return the median seconds per image, step and pixel, by bucket, of a run of the same model and task."""
    opening.require(folder)
    measured: dict[Bucket, list[float]] = {}
    with ledger_errors(folder), Ledger(folder, read_only=True) as ledger:
        _, theirs = remembered(folder, ledger)
        if (theirs.model, theirs.image_gen_task) != (settings.model, settings.image_gen_task):
            return {}
        for record in islice((record for record in ledger.records() if record.state is State.DONE), _SAMPLE):
            if (outcome := _measured(record)) is not None and outcome.bucket is not None:
                bucket = Bucket(*outcome.bucket)
                work = _passes(outcome, theirs) * bucket.width * bucket.height
                measured.setdefault(bucket, []).append(outcome.share / work)
    return {bucket: median(rates) for bucket, rates in measured.items()}
