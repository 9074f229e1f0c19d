"""The report: tables in Markdown, and every number as JSON."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from math import floor, isfinite, log10
from typing import Any

from worker.bench.fidelity import Fidelity
from worker.bench.measuring import Timing
from worker.bench.results import NOT_MEASURED, PLAIN, Measured
from worker.bench.sizes import Shape

_TIMES = (
    "profile", "resolution", "images", "s/image", "spread", "images/hour", "s/step", "fixed s", "TFLOP/s",
    "of the ceiling", "peak GiB", "compiling s",
)  # fmt: skip


def report(environment: Mapping[str, str], measured: Sequence[Measured], fidelity: Sequence[Fidelity]) -> str:
    """Return all that was measured."""
    parts = [
        "\n".join(f"- {name}: {value}" for name, value in environment.items()),
        _times(measured),
        "The device's own ceiling, in large matrix products, right before each profile:",
        _ceilings(measured),
        "Whole calls of one image, against what the few steps above foretold:",
        _whole(measured),
        f"Fidelity, on the same photographs and seeds (weights: {environment['weights']}):",
        _fidelity(fidelity),
    ]
    if errors := [f"- {one.label}: {one.error}" for one in measured if one.error]:
        parts.append("\n".join(("Broken off:", *errors)))
    return "\n\n".join(parts)


def as_json(environment: Mapping[str, str], measured: Sequence[Measured], fidelity: Sequence[Fidelity]) -> Any:
    """Return every number as it was measured, in what JSON can hold; seconds, bytes and operations per second."""
    return {
        "environment": dict(environment),
        "profiles": [
            {
                "profile": one.label, "attention": one.attention, "steps": one.steps, "computed": one.computed,
                "rates": one.rates and asdict(one.rates), "whole": one.whole, "error": one.error,
                "rows": [
                    {"resolution": str(shape.bucket), "images": shape.images}
                    | (asdict(found) if isinstance(found, Timing) else {"remark": found})
                    for shape, found in one.rows.items()
                ],
            }
            for one in measured
        ],
        # JSON has no infinity, as the distance of two pictures that are the same is.
        "fidelity": [
            asdict(one) | {"psnr": [value if isfinite(value) else None for value in one.psnr]} for one in fidelity
        ],
    }  # fmt: skip


def number(value: float) -> str:
    """Write a number with three digits that count, without an exponent."""
    if not isfinite(value):
        return "∞" if value > 0 else "?"
    return f"{value:.{max(0, 2 - floor(log10(abs(value)))) if value else 0}f}"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def _times(measured: Sequence[Measured]) -> str:
    rows = [_row(one, shape, found) for one in measured for shape, found in one.rows.items()]
    return markdown([*_TIMES[:3], f"s/image, {measured[0].steps} steps", *_TIMES[4:]], rows)


def _row(one: Measured, shape: Shape, found: Timing | str) -> list[str]:
    head = [one.label, str(shape.bucket), str(shape.images)]
    if not isinstance(found, Timing):
        return head + [found] * (len(_TIMES) - len(head))
    images = one.per_image(shape, found)
    reached, of_ceiling = one.reached(shape, found)
    return [
        *head,
        number(statistics.median(images)),
        f"{number(min(images))}-{number(max(images))}",
        f"{3600 / statistics.median(images):.0f}",
        number(found.step),
        number(found.fixed),
        number(reached / 1e12),
        f"{100 * of_ceiling:.0f} %",
        "-" if found.peak is None else number(found.peak / 2**30),
        number(found.compiling) if one.compiled else "-",
    ]


def _ceilings(measured: Sequence[Measured]) -> str:
    rows = []
    for one in measured:
        if one.rates is None or one.floor is None:
            rows.append([one.label, *[NOT_MEASURED] * 4])
            continue
        fp8 = NOT_MEASURED if one.rates.fp8 is None else number(one.rates.fp8 / 1e12)
        rows.append([one.label, str(one.attention), number(one.rates.plain / 1e12), fp8, number(one.floor)])
    where = measured[0].first.bucket
    return markdown(["profile", "attention", "TFLOP/s", "TFLOP/s in fp8", f"floor at {where}, s/image"], rows)


def _whole(measured: Sequence[Measured]) -> str:
    rows = []
    for one in (one for one in measured if one.first.images == 1 and one.label != PLAIN):
        if not one.whole or one.estimate is None:
            rows.append([one.label, f"{one.computed} of {one.steps}", *[NOT_MEASURED] * 5])
            continue
        median = statistics.median(one.whole)
        spread = f"{number(min(one.whole))}-{number(max(one.whole))}"
        ratio = number(median / one.estimate)
        steps = f"{one.computed} of {one.steps}"
        rows.append([one.label, steps, str(len(one.whole)), number(median), spread, number(one.estimate), ratio])
    return markdown(["profile", "steps computed", "calls", "s", "spread", "foretold s", "ratio"], rows)


def _fidelity(fidelity: Sequence[Fidelity]) -> str:
    if not fidelity:
        return f"{NOT_MEASURED}: it takes whole calls of two profiles."
    rows = [
        [
            one.label,
            one.against,
            str(len(one.psnr)),
            *_spread(one.psnr),
            *(_spread(one.ssim) if one.ssim else (NOT_MEASURED, NOT_MEASURED)),
        ]
        for one in fidelity
    ]
    table = markdown(["profile", "against", "photographs", "PSNR dB, median", "least", "SSIM, median", "least"], rows)
    if any(one.ssim is None for one in fidelity):
        table += "\n\nSSIM is not measured: it takes scikit-image (`pip install '.[bench]'`)."
    return table


def _spread(values: Sequence[float]) -> tuple[str, str]:
    return number(statistics.median(values)), number(min(values))
