"""The bench's arithmetic, its way of measuring, and its tables."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.place import PROJECT
from worker.bench.arithmetic import Rates
from worker.bench.fidelity import compare, psnr, ssim
from worker.bench.measuring import Timing, measure
from worker.bench.pace import Pace, share
from worker.bench.results import NOT_MEASURED, Measured
from worker.bench.sizes import FAMILIES, Shape, size_of
from worker.bench.table import as_json, number, report
from worker.contract.buckets import Bucket
from worker.contract.work import Network

KONTEXT = Network(width=3072, blocks=57, squares=12)
SQUARE = Bucket(1024, 1024)
TOKENS = KONTEXT.tokens(SQUARE, [SQUARE])
ENVIRONMENT = {"date": "today", "weights": "random"}


@dataclass
class Machine:
    """A device on which everything takes a time that is known, and the clock beside it."""

    #: Seconds of a step, of the rest of a call, and of the compiler at the first.
    step: float
    fixed: float
    compiling: float
    now: float = 0.0
    calls: list[int] = field(default_factory=list)

    def edit(self, steps: int) -> None:
        """Take the time of a call."""
        self.now += self.fixed + steps * self.step + (0 if self.calls else self.compiling)
        self.calls.append(steps)

    def clock(self) -> float:
        """Return the seconds so far."""
        return self.now


def timing(short: Sequence[float], long: Sequence[float], first: float = 0.0, peak: int | None = None) -> Timing:
    """Make a timing by hand."""
    return Timing(first=first, short=tuple(short), long=tuple(long), peak=peak)


def measured(label: str = "exact", images: int = 4, found: Timing | str = NOT_MEASURED) -> Measured:
    """Make what became of a profile of 28 steps, all computed, at one megapixel."""
    rows = {Shape(SQUARE, images): found}
    return Measured(label=label, compiled=True, fp8=False, steps=28, computed=28, rows=rows)


def noise(seed: int) -> Image.Image:
    """Make a picture of noise."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (64, 64, 3), np.uint8))


def cells(text: str, label: str) -> list[list[str]]:
    """Return the cells of each row that begins with a label."""
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith(f"| {label} |")]


@pytest.mark.parametrize(
    ("fp8", "seconds"),
    [
        (1580e12, 3.87),  # 28 · (112.4 at 1580 + 53.1 at 790)
        (None, 5.86),  # 4.63 PFLOP at 790
    ],
)
def test_the_floor_follows_from_what_the_device_reaches(fp8: float | None, seconds: float) -> None:
    """An image of 28 steps takes at least its operations over the rates; attention is never in fp8."""
    rates, step = Rates(plain=790e12, fp8=fp8), KONTEXT.later(TOKENS)
    assert 28 * rates.floor(step, fp8=True) == pytest.approx(seconds, abs=0.01)
    assert 28 * rates.floor(step, fp8=False) == pytest.approx(5.86, abs=0.01)


def test_the_real_size_has_the_issues_rows() -> None:
    """By default Kontext is measured at three resolutions, alone and in a batch, the square one first."""
    shapes = [str(shape) for shape in size_of("kontext", "full").shapes((), ())]
    assert shapes[:2] == ["1 of 1024x1024", "4 of 1024x1024"]
    assert {shape.partition(" of ")[2] for shape in shapes} == {"1024x1024", "768x768", "512x512"}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_measured_at_both_sizes(family: str) -> None:
    """Its real model alone and in batches at a megapixel and at a quarter of one, and its tiny one."""
    full, tiny = size_of(family, "full"), size_of(family, "tiny")
    assert (full.spec.family, full.spec.source, tiny.spec.family, tiny.spec.source) == (family, "hub", family, "random")
    assert {Shape(SQUARE, 1), Shape(SQUARE, 4), Shape(Bucket(512, 512), 8)} <= {*full.shapes((), ())}
    assert tiny.shapes((), ())[0] == Shape(tiny.spec.square, 1)


def test_no_family_is_left_out() -> None:
    """`make bench` measures each that has weights on the hub, and nothing else."""
    (line,) = re.findall(r"^FAMILIES := (.*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert line.split() == [*FAMILIES]


@pytest.mark.parametrize("warming", [1, 2])
def test_steps_fixed_part_and_compiler_are_told_apart(warming: int) -> None:
    """From calls of one and of five steps come a step's seconds, those of the rest, and those of the compiler."""
    machine = Machine(step=0.5, fixed=2.0, compiling=30.0)
    found = measure(machine.edit, rounds=3, warming=warming, device=torch.device("cpu"), clock=machine.clock)
    assert machine.calls == [warming, 1, 5, 1, 5, 1, 5]
    assert (found.step, found.fixed, found.compiling) == pytest.approx((0.5, 2.0, 30.0))
    assert found.calls(28) == pytest.approx([16.0] * 3)
    assert found.peak is None


def test_a_measurement_that_would_outlast_the_deadline_is_not_begun() -> None:
    """Once one measurement is known, the next is expected to take as long for its arithmetic, and its compiler."""
    pace = Pace(100.0, lambda: 50.0)
    assert pace.allows(1e15, compiling=True)
    pace.learn(10.0, 25.0, compiling=5.0)  # 2 s for one
    assert pace.allows(22.0, compiling=True)
    assert not pace.allows(23.0, compiling=True)
    assert pace.allows(25.0, compiling=False)


@pytest.mark.parametrize(("now", "left", "deadline"), [(0, 4, 150), (60, 3, 240), (590, 1, 600), (700, 2, 700)])
def test_time_is_shared_among_the_parts_that_are_left(now: float, left: int, deadline: float) -> None:
    """What a part does not use of 600 s is for those behind it; beyond the limit nothing is left."""
    assert share(0.0, 600.0, now, left) == deadline


def test_the_table_has_what_was_measured() -> None:
    """A row says seconds of an image and their spread, of a step and of the rest, operations, share and memory."""
    one = measured(found=timing([2.5, 2.0, 2.0], [4.5, 4.0, 5.0], first=12.0, peak=2**36))
    one.network, one.rates = KONTEXT, Rates(plain=2 * 4 * KONTEXT.later(TOKENS).all, fp8=None)
    (row,) = cells(report(ENVIRONMENT, [one], []).partition("ceiling, in")[0], "exact")
    # A step takes 0.5, 0.5 and 0.75 s; the call 2.5 + 27·0.5, 2 + 27·0.5 and 2 + 27·0.75 s, for four images.
    assert row == [
        "exact", "1024x1024", "4", "4.00", "3.88-5.56", "900", "0.500", "1.50", "1323", "100 %", "64.0", "10.0",
    ]  # fmt: skip


def test_what_was_not_measured_is_said_to_be_so() -> None:
    """Each cell of a row without a timing says why, in every table."""
    text = report(ENVIRONMENT, [measured(), measured("fast", found="out of memory")], [])
    assert cells(text, "exact")[0] == ["exact", "1024x1024", "4", *["not measured"] * 9]
    assert cells(text, "fast")[0] == ["fast", "1024x1024", "4", *["out of memory"] * 9]
    assert cells(text, "exact")[1] == ["exact", *["not measured"] * 4]


def test_a_whole_call_stands_beside_what_was_foretold() -> None:
    """The seconds of whole calls are divided by those that the few steps make expect."""
    one = measured(images=1, found=timing([1.0], [3.0]))
    one.whole = [15.0, 16.0, 14.0]
    assert cells(report(ENVIRONMENT, [one], []), "exact")[-1] == [
        "exact", "28 of 28", "3", "15.0", "14.0-16.0", "14.5", "1.03",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0143, "0.0143"), (5.859, "5.86"), (99.96, "100.0"), (1580.4, "1580"), (0, "0"), (float("inf"), "∞")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    """Three digits count, whatever the size."""
    assert number(value) == text


def test_json_has_every_number() -> None:
    """The JSON holds each call's seconds, and no infinity where two pictures are the same."""
    one = measured(found=timing([1.0, 1.5], [3.0, 3.5]))
    found = as_json(ENVIRONMENT, [one], [compare("fast", [noise(1)], "exact", [noise(1)])])
    assert found["profiles"][0]["rows"][0]["short"] == (1.0, 1.5)
    assert found["fidelity"][0]["psnr"] == [None]


def test_the_same_picture_has_no_distance() -> None:
    """A picture beside itself has an infinite PSNR and an SSIM of 1."""
    assert psnr(noise(1), noise(1)) == float("inf")
    assert ssim(noise(1), noise(1)) == pytest.approx(1.0)


@pytest.mark.parametrize(("difference", "decibels"), [(255, 0.0), (51, 13.9794), (1, 48.1308)])
def test_the_distance_of_even_pictures_is_known(difference: int, decibels: float) -> None:
    """An even difference of d has a PSNR of 20 log10(255 / d)."""
    black, other = (Image.new("RGB", (32, 32), (value, value, value)) for value in (0, difference))
    assert psnr(black, other) == pytest.approx(decibels, abs=1e-4)


def test_other_noise_is_less_similar_than_a_little_of_it() -> None:
    """Structural similarity falls as pictures differ more."""
    blended = Image.blend(noise(1), noise(2), 0.1)
    assert 1 > ssim(noise(1), blended) > ssim(noise(1), noise(2)) > -1


def test_pictures_are_compared_as_far_as_both_go() -> None:
    """Of a profile with fewer pictures, those that there are count."""
    assert len(compare("fast", [noise(1), noise(2)], "reference", [noise(1)]).psnr) == 1
