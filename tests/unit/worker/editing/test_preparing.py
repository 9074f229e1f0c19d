"""A row's pictures come to the model as the row's sizes and the model have it."""

import threading
from pathlib import Path

import pytest
from PIL import Image

from tests.support.requests import make_request
from worker.contract.catalog import MODELS
from worker.contract.messages import EditRequest
from worker.editing.preparing import Preparing
from worker.editing.record import RowRecord
from worker.pictures.confine import Limits
from worker.pictures.pixel_budget import PixelBudget

COLOURS = ["red", "lime", "blue"]


def preparing(model: str) -> Preparing:
    """Prepare for a model."""
    return Preparing(MODELS[model], Limits(max_pixels=10**6), PixelBudget(10**6), threading.Event())


@pytest.fixture
def three(tmp_path: Path) -> EditRequest:
    """Name a row of three squares, side by side, that is to be a square."""
    for colour in COLOURS:
        Image.new("RGB", (90, 90), colour).save(tmp_path / f"{colour}.png")
    images = tuple(str(tmp_path / f"{colour}.png") for colour in COLOURS)
    return make_request(images=images, size="256x256", output_dir=str(tmp_path))


@pytest.mark.parametrize(("model", "size", "top"), [("tiny-kontext", (448, 144), 0), ("demo", (256, 256), 85)])
def test_a_strip_is_seen_once(three: EditRequest, model: str, size: tuple[int, int], top: int) -> None:
    """In its own shape; by a model that takes no other than the output's, on white. No square comes a second time."""
    prepared = preparing(model).first(three, RowRecord(three, worker="w"))
    assert prepared is not None
    [strip] = prepared.edited
    assert (strip.size, prepared.plan.output) == (size, (256, 256))
    across = [strip.getpixel(((2 * place + 1) * size[0] // 6, size[1] // 2)) for place in range(3)]
    assert across == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    white = [y for y in range(size[1]) if strip.getpixel((size[0] // 2, y)) == (255, 255, 255)]
    assert len(white) == (0 if top == 0 else 256 - 85)


def test_the_next_turn_edits_what_the_one_before_has_made(three: EditRequest) -> None:
    """Each picture of its own, of the output's size, and no strip any more."""
    prepare = preparing("tiny-kontext")
    before = prepare.first(three, RowRecord(three, worker="w"))
    assert before is not None
    made = [Image.new("RGB", (256, 256), colour) for colour in COLOURS[:2]]
    after = prepare.following(three, before, made)
    assert after.plan.given == after.plan.output == (256, 256)
    assert [picture.tobytes() for picture in after.edited] == [picture.tobytes() for picture in made]


def test_a_turn_keeps_the_references_beside_its_picture(three: EditRequest) -> None:
    """A later instruction may be of them as well as the first."""
    prepare = preparing("tiny-klein")
    request = three.model_copy(update={"references": True})
    before = prepare.first(request, RowRecord(request, worker="w"))
    assert before is not None
    after = prepare.following(request, before, [Image.new("RGB", (256, 256), "black")])
    assert after.references == before.references
    assert [picture.getpixel((9, 9)) for picture in after.references] == [(0, 255, 0), (0, 0, 255)]
