"""Geometry on real pixels: all that a row goes through but the transformer, which hands every picture back."""

import json
import sqlite3
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image, ImageChops, ImageStat

from tests.conftest import Fleet
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.discs import assert_in_place, assert_padded_by_reflection, measure, paint, part
from worker.contract.buckets import DEMO_BUCKETS

Shape = tuple[int, int]

#: Shapes whose disc can be measured. A picture of the demo model has about 65,536 px, so that even the 23 px of a
#: 1000x60 (384 × 60/1000 = 23.04) hold a disc of 16 px. Its moments are known to 0.1 px or so, which is 0.6 % of that,
#: and to 0.1 % of the others'; the rest of the 2 % is for sides that are whole pixels: 0.5/23 = 2.2 % at worst, 0.2 %
#: here. A stretch of 3 % is seen in every one of them.
ROUND: list[Shape] = [
    (1920, 1080), (600, 900), (500, 500),
    (1120, 500), (500, 1120),  # 2.24:1 lies between 2.09:1 and 2.4:1: the most that these buckets stretch, 7.1 %
    (1500, 400), (300, 1100), (1000, 60), (60, 1000),  # beyond 2.4:1: padded by reflection, and cropped back
    (16, 16),
]  # fmt: skip

#: Too thin, or of too few pixels, for that: 1600:40 is 384:9.6, and these 9.6 px become 10, which is 4 % more.
THIN: list[Shape] = [(40, 1600), (20, 1000), (3000, 16), (10, 7)]

SIZES = ("auto", "input", "bucket", "640x256")
PHOTOS = ("coffee", "astronaut", "chelsea", "camera", "hubble")

each_shape = pytest.mark.parametrize("shape", ROUND + THIN, ids=lambda shape: "x".join(map(str, shape)))
each_round = pytest.mark.parametrize("shape", ROUND, ids=lambda shape: "x".join(map(str, shape)))
each_thin = pytest.mark.parametrize("shape", THIN, ids=lambda shape: "x".join(map(str, shape)))


class Gallery(NamedTuple):
    """One run over all shapes in all sizes."""

    folder: Path
    rows: list[tuple[Shape, str]]

    def before(self, shape: Shape) -> Image.Image:
        """Return the picture that went in."""
        return Image.open(self.folder / f"{shape[0]}x{shape[1]}.png")

    def after(self, shape: Shape, size: str) -> Image.Image:
        """Return the picture that came out."""
        number = self.rows.index((shape, size))
        return Image.open(self.folder / f"r/sample_{number}/sample_{number}_0.png")


def submit_and_collect(cli: CLI, rows: list[dict[str, object]], *options: object) -> tuple[int, str]:
    """Edit rows; return the exit code of `collect`, and what both commands have said."""
    write_jsonl(cli.folder / "in.jsonl", rows)
    sent = cli("submit", "in.jsonl", "--run-dir", "r", *options)
    assert sent.returncode == 0, sent.stderr
    done = cli("collect", "r")
    return done.returncode, sent.stderr + done.stderr


@pytest.fixture(scope="module")
def gallery(passthrough: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    """Send every shape in every size through the worker, those of one bucket beside each other."""
    cli = passthrough.cli(tmp_path_factory.mktemp("gallery"))
    for number, (width, height) in enumerate(ROUND + THIN):
        paint(PHOTOS[number % len(PHOTOS)], width, height, cli.folder / f"{width}x{height}.png")
    wanted = [(shape, size) for size in SIZES for shape in ROUND + THIN]
    rows = [row(f"{shape[0]}x{shape[1]}.png", "Leave it.", edit={"size": size}) for shape, size in wanted]
    code, said = submit_and_collect(cli, rows)
    assert code == 0, said
    return Gallery(cli.folder, wanted)


def test_rows_of_different_shapes_share_batches(gallery: Gallery) -> None:
    """The pictures below rode in batches with pictures of other shapes."""
    with sqlite3.connect(gallery.folder / "r/run.sqlite") as ledger:
        outcomes = ledger.execute("SELECT row, outcome FROM rows ORDER BY row").fetchall()
    batches: dict[str, set[Shape]] = {}
    for number, outcome in outcomes:
        batches.setdefault(json.loads(outcome)["batch_id"], set()).add(gallery.rows[number][0])
    assert sum(len(shapes) > 1 for shapes in batches.values()) >= 5, batches


@pytest.mark.parametrize("size", ["auto", "input"])
@each_round
def test_a_circle_stays_round(gallery: Gallery, shape: Shape, size: str) -> None:
    """A circle's longest diameter is its shortest within 2 %; its place and its part of the picture stay the same."""
    after = gallery.after(shape, size)
    found, drawn = assert_in_place(after, gallery.before(shape)), measure(gallery.before(shape))
    assert found.elongation <= 1.02
    assert found.width / after.width == pytest.approx(drawn.width / shape[0], rel=0.02)
    assert found.height / after.height == pytest.approx(drawn.height / shape[1], rel=0.02)


@each_thin
def test_a_thin_picture_keeps_what_is_on_it(gallery: Gallery, shape: Shape) -> None:
    """A disc on a picture a few pixels wide is where it was, as large as it was within one of them, of its colour."""
    before, after = gallery.before(shape), gallery.after(shape, "auto")
    found, drawn = assert_in_place(after, before), measure(before)
    coarse = max(1, after.width / shape[0])
    assert abs(found.width - drawn.width * after.width / shape[0]) <= coarse
    assert abs(found.height - drawn.height * after.height / shape[1]) <= coarse
    # Two rows of pixels, of which each is more its own side of the disc than of the photograph: 18 % at 3000x16.
    assert found.area == pytest.approx(drawn.area, rel=0.2)
    assert_in_place(gallery.after(shape, "input"), before)


@each_shape
def test_every_row_has_its_own_photograph(gallery: Gallery, shape: Shape) -> None:
    """Nothing of a neighbour is in a picture: it is the row's own, made smaller, within 2 % of the brightness."""
    after = gallery.after(shape, "auto")
    expected = gallery.before(shape).resize(after.size, Image.Resampling.LANCZOS)
    assert max(ImageStat.Stat(ImageChops.difference(after, expected)).mean) <= 0.02 * 255


@each_shape
def test_input_is_the_inputs_exact_size(gallery: Gallery, shape: Shape) -> None:
    """With `input` an output has the width and height of its input."""
    assert gallery.after(shape, "input").size == shape


@each_shape
def test_auto_is_the_inputs_shape(gallery: Gallery, shape: Shape) -> None:
    """With `auto` an output has the aspect ratio of its input, within one pixel of a side."""
    width, height = gallery.after(shape, "auto").size
    assert abs(width - height * shape[0] / shape[1]) <= 1 or abs(height - width * shape[1] / shape[0]) <= 1


@each_shape
def test_bucket_is_the_models_own_size(gallery: Gallery, shape: Shape) -> None:
    """With `bucket` an output is one of the model's resolutions; a long picture is padded to it by reflection."""
    after = gallery.after(shape, "bucket")
    assert after.size in DEMO_BUCKETS
    if max(shape) > 2.4 * min(shape):
        assert_padded_by_reflection(after, shape)


@each_round
def test_nothing_is_stretched_by_more_than_9_percent(gallery: Gallery, shape: Shape) -> None:
    """The model sees a circle whose longest diameter is at most 9 % more than its shortest; 2 % where it is padded."""
    after = gallery.after(shape, "bucket")
    padded = max(shape) > 2.4 * min(shape)
    assert measure(after.crop(part(after, shape)) if padded else after).elongation <= (1.02 if padded else 1.09)


@each_shape
def test_an_explicit_size_is_met_exactly(gallery: Gallery, shape: Shape) -> None:
    """A picture of another shape is padded by reflection to an explicit size."""
    after = gallery.after(shape, "640x256")
    assert after.size == (640, 256)
    assert_padded_by_reflection(after, shape)


@each_round
def test_an_explicit_size_stretches_nothing(gallery: Gallery, shape: Shape) -> None:
    """A circle is round within 2 % in an explicit size that has another shape than its picture."""
    after = gallery.after(shape, "640x256")
    # 60x1000 is 15.4 px wide in it, of which 15 are 2.3 % less.
    assert measure(after.crop(part(after, shape))).elongation <= (1.02 if min(shape) * 16 >= max(shape) else 1.03)


def test_an_explicit_size_is_rounded_down_and_said_once(passthrough: Fleet, tmp_path: Path) -> None:
    """A size becomes multiples of 16: the run's is said when it is sent, the rows' own are counted at the end."""
    cli = passthrough.cli(tmp_path)
    paint("coffee", 300, 200, tmp_path / "a.png")
    own = [row("a.png", "Leave it.", edit={"size": size}) for size in ("333x222", "100x100", "320x208")]
    code, said = submit_and_collect(cli, [*[row("a.png", "Leave it.")] * 2, *own], "--size", "1285x725")
    assert code == 0, said
    assert said.count("--size 1285x725 was rounded down to 1280x720: demo takes multiples of 16.") == 1
    assert said.count("rounded down") == 2
    assert "2 rows: a size of its own that was rounded down" in said
    sizes = [Image.open(tmp_path / f"r/sample_{number}/sample_{number}_0.png").size for number in range(5)]
    assert sizes == [(1280, 720), (1280, 720), (320, 208), (96, 96), (320, 208)]


#: Shape and colour of each of a row's images.
PARTS = [((40, 30), (200, 40, 40)), ((30, 60), (40, 180, 60)), ((45, 30), (50, 60, 210))]


def part_rows(folder: Path) -> list[dict[str, object]]:
    """Save pictures of one colour each; return rows that name all three of them, one, and two."""
    for number, (shape, colour) in enumerate(PARTS):
        Image.new("RGB", shape, colour).save(folder / f"{number}.png")
    named = (["0.png", "1.png", "2.png"], ["1.png"], ["2.png", "0.png"])
    return [{**row("", "Leave it."), "images": images} for images in named]


def assert_colours(path: Path, parts: list[tuple[int, tuple[int, int, int]]]) -> None:
    """Make sure that a picture consists of bands, each so many pixels wide, and is as wide as they are together."""
    picture, left = Image.open(path), 0
    for width, colour in parts:
        # 4 px off the edges, which are blurred by two changes of size.
        band = picture.crop((left + 4, 0, left + width - 4, picture.height))
        worst = [max(abs(found - want) for found in pair) for pair, want in zip(band.getextrema(), colour, strict=True)]
        assert max(worst) <= 12, (left, width, band.getextrema())
        left += width
    assert picture.size == (left, picture.height)


def test_stitched_images_stand_side_by_side(passthrough: Fleet, tmp_path: Path) -> None:
    """With --multi-image stitch a row's images stand side by side in their order, as high as the tallest."""
    rows = part_rows(tmp_path)
    code, said = submit_and_collect(passthrough.cli(tmp_path), rows, "--multi-image", "stitch", "--size", "input")
    assert code == 0, said
    assert "more than one image" not in said
    red, green, blue = (colour for _, colour in PARTS)
    # 40x30 and 45x30 are enlarged to 80x60 and 90x60.
    for number, bands in enumerate(([(80, red), (30, green), (90, blue)], [(30, green)], [(45, blue), (40, red)])):
        assert_colours(tmp_path / f"r/sample_{number}/sample_{number}_0.png", bands)
    assert Image.open(tmp_path / "r/sample_0/sample_0_0.png").height == 60


def test_the_first_image_is_edited_and_the_others_are_counted(passthrough: Fleet, tmp_path: Path) -> None:
    """By default a row's first image is edited, and the summary says how many rows have more of them."""
    code, said = submit_and_collect(passthrough.cli(tmp_path), part_rows(tmp_path), "--size", "input")
    assert code == 0, said
    assert said.count("2 rows: more than one image, of which the first is edited") == 1
    for number, (shape, colour) in enumerate((PARTS[0], PARTS[1], PARTS[2])):
        assert_colours(tmp_path / f"r/sample_{number}/sample_{number}_0.png", [(shape[0], colour)])


def test_absurd_shapes_do_no_harm(passthrough: Fleet, tmp_path: Path) -> None:
    """A shape that a file can hold is edited at any ratio, any other has its error, and the rows between are edited."""
    #: Input, output with `auto` (30000:1 is 384:0.0128, still one pixel; √(384 × 30000) = 3394.1), and with `input`.
    absurd: list[tuple[Shape, Shape | None, Shape | None]] = [
        ((1, 1), (256, 256), (1, 1)),
        ((2, 1), (360, 180), (2, 1)),
        ((1, 30_000), (1, 3394), None),  # a side of a WebP holds 16,383 px
        ((30_000, 1), (3394, 1), None),
        ((10_001, 10_000), None, None),  # more than 100 million pixels
    ]
    paint("coffee", 300, 200, tmp_path / "good.png")
    rows, expected = [], []
    for shape, auto, exact in absurd:
        name = f"{shape[0]}x{shape[1]}.png"
        Image.new("1", shape).save(tmp_path / name)
        for size, output, neighbour in (("auto", auto, (308, 205)), ("input", exact, (300, 200))):
            rows += [row(name, "Leave it.", edit={"size": size}), row("good.png", "Leave it.", edit={"size": size})]
            expected += [output, neighbour]
    code, said = submit_and_collect(passthrough.cli(tmp_path), rows, "--format", "webp")
    assert code == 3, said
    made = read_jsonl(tmp_path / "r/output.jsonl")
    sizes = [[Image.open(tmp_path / path).size for path in fields["output_image"]] for fields in made]
    assert sizes == [[] if shape is None else [shape] for shape in expected]
    errors = {fields["images"]: fields["error"] for fields in made if "error" in fields}
    assert set(errors) == {"1x30000.png", "30000x1.png", "10001x10000.png"}
    assert "webp holds at most 16383 px a side" in errors["1x30000.png"]
    assert "has more than 100000000 pixels (10001x10000)" in errors["10001x10000.png"]
