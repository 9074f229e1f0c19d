"""TIFF in every layout: decoded to what another library reads from it, or refused; never something else."""

import itertools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from tests.support.tiffs import PACKING, packed_bits, pieces, tiff
from worker.contract.errors import RowError
from worker.pictures.decoding import read, size_of

WIDTH, HEIGHT = 21, 18  # no multiple of a tile's side, of a strip's rows or of eight
NO_RANGE = r"has no stated range of values"
NOT_READ = r"is a TIFF of a kind that is not read \(.*convert it to grey or RGB of 8 or 16 bits\)"
PLANES = r"is a TIFF of separate planes with alpha"


def ramps(samples: int) -> NDArray[np.float64]:
    """Paint channels from 0 to 1, each in a direction of its own."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    channels = (x / (WIDTH - 1), y / (HEIGHT - 1), (x + y) / (WIDTH + HEIGHT - 2), ((7 * x + 3 * y) % WIDTH) / WIDTH)
    return np.stack(channels[:samples], axis=-1)


def on_white(channels: NDArray[np.float64], kind: str, extra: str | None) -> NDArray[np.float64]:
    """Return what samples from 0 to 1 are on a screen, as RGB from 0 to 255."""
    colours = {"rgb": 3, "separated": 4}.get(kind, 1)
    colour, rest = channels[..., :colours], channels[..., colours:]
    if kind == "miniswhite":
        colour = 1 - colour
    if kind == "separated":
        colour = (1 - colour[..., :3]) * (1 - colour[..., 3:])
    if extra == "unassalpha":
        colour = colour * rest
    if extra in {"unassalpha", "assocalpha"}:
        colour = colour + 1 - rest
    return np.broadcast_to(255 * colour, (*colour.shape[:2], 3))


def farthest(path: Path, wanted: NDArray[Any]) -> float:
    """Return by how much a file is off what it should be, of 255."""
    assert size_of(path) == (wanted.shape[1], wanted.shape[0])
    return float(np.abs(np.asarray(read(path).image).astype(float) - wanted).max())


class Case(NamedTuple):
    """A TIFF that tifffile writes."""

    kind: str
    extra: str | None
    bits: int
    planar: str
    order: str
    tiled: bool
    compression: str | None
    predictor: bool


#: Colours, and what is with them.
KINDS: list[tuple[str, str | None]] = [
    *((kind, None) for kind in ("minisblack", "miniswhite", "rgb", "separated")),
    *itertools.product(("minisblack", "rgb"), ("unassalpha", "assocalpha", "unspecified")),
]
PACKED = [(None, False), ("zlib", False), ("zlib", True), ("lzma", False)]
WAYS = [(order, tiled, *packed) for order, tiled, packed in itertools.product("<>", (False, True), PACKED)]
SAMPLES = [
    (kind, extra, bits, planar)
    for (kind, extra), bits, planar in itertools.product(KINDS, (8, 16), ("contig", "separate"))
    if (planar, kind.startswith("min"), extra) != ("separate", True, None)  # one plane
]


def refusal(case: Case) -> str | None:
    """Return why a case is refused, if it is."""
    if case.kind != "minisblack" or case.extra is None:
        return None
    if case.planar == "separate":
        return None if case.extra == "unspecified" else PLANES if case.bits == 8 else NOT_READ
    return NOT_READ if case.bits == 16 else None


def written(path: Path, case: Case, dtype: str = "u") -> NDArray[Any]:
    """Write a case, and return its samples from 0 to 1 as tifffile reads them."""
    colours = {"rgb": 3, "separated": 4}.get(case.kind, 1)
    channels = ramps(colours + (case.extra is not None))
    if case.extra == "assocalpha":
        channels[..., :-1] *= channels[..., -1:]
    most = 1 if dtype == "f" else 2 ** (case.bits - (dtype == "i")) - 1
    samples = (channels * most if dtype == "f" else np.rint(channels * most)).astype(f"{dtype}{case.bits // 8}")
    data = samples if case.planar == "contig" else np.moveaxis(samples, -1, 0)
    one = samples.shape[-1] == 1
    tifffile.imwrite(
        path, np.ascontiguousarray(samples[..., 0] if one else data), photometric=case.kind, byteorder=case.order,
        planarconfig=None if one else case.planar, tile=(16, 16) if case.tiled else None,
        rowsperstrip=None if case.tiled else 7, compression=case.compression, predictor=case.predictor,
        extrasamples=[case.extra] if case.extra else None, metadata=None,
    )  # fmt: skip
    found = tifffile.imread(path).reshape(samples.shape if case.planar == "contig" else data.shape)
    return np.asarray(found if case.planar == "contig" else np.moveaxis(found, 0, -1)) / most


@pytest.mark.parametrize("samples", SAMPLES, ids=lambda samples: "-".join(str(field) for field in samples))
def test_what_tifffile_writes(tmp_path: Path, samples: tuple[str, str | None, int, str]) -> None:
    """What tifffile writes arrives as tifffile reads it, to the rounding of 8 bits; some kinds are refused."""
    for case in (Case(*samples, *way) for way in WAYS):
        values = written(tmp_path / "a.tif", case)
        if (reason := refusal(case)) is not None:
            with pytest.raises(RowError, match=reason):
                read(tmp_path / "a.tif")
            continue
        # Colours that are multiplied by their alpha are rounded with it, and then divided by it.
        most = 3 if case.extra == "assocalpha" else 2
        assert farthest(tmp_path / "a.tif", on_white(values, case.kind, case.extra)) <= most, case


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", ["f4", "f2", "i1", "i2", "i4"])
@pytest.mark.parametrize("kind", ["minisblack", "miniswhite", "rgb"])
@pytest.mark.parametrize("order", "<>")
def test_numbers_without_a_range(tmp_path: Path, kind: str, dtype: str, planar: str, order: str) -> None:
    """Floating-point numbers and those with a sign are refused, as nobody knows what is white."""
    if kind == "rgb" or planar == "contig":
        written(tmp_path / "a.tif", Case(kind, None, 8 * int(dtype[1]), planar, order, tiled=False, compression=None,
                                         predictor=False), dtype[0])  # fmt: skip
        with pytest.raises(RowError, match=NO_RANGE):
            read(tmp_path / "a.tif")


PHOTOMETRIC = {"miniswhite": 0, "minisblack": 1, "rgb": 2, "palette": 3, "separated": 5}
#: Orders of bytes, sides of tiles (0: strips), packings.
PIECES = list(itertools.product("<>", (0, 16), PACKING))


@pytest.mark.parametrize("kind", ["miniswhite", "minisblack"])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("fill", [1, 2])
def test_grey_of_any_depth(tmp_path: Path, kind: str, bits: int, fill: int) -> None:
    """Grey of 1 to 16 bits arrives in both orders of bytes and of bits, in strips and tiles, however it is packed."""
    samples = np.rint(ramps(1) * (2**bits - 1))
    for order, side, packing in PIECES:
        tags = {258: bits, 259: packing, 262: PHOTOMETRIC[kind], 266: fill, 277: 1}
        parts = pieces([samples], bits, order, side=side)
        (tmp_path / "a.tif").write_bytes(tiff(parts, (WIDTH, HEIGHT), tags, order=order, side=side))
        if (bits, fill) == (16, 2) and (kind, order) != ("minisblack", "<"):
            with pytest.raises(RowError, match=NOT_READ):
                read(tmp_path / "a.tif")
            continue
        wanted = on_white(samples / (2**bits - 1), kind, None)
        assert farthest(tmp_path / "a.tif", wanted) <= 1, (order, side, packing)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("packing", PACKING)
def test_grey_of_12_bits(tmp_path: Path, packing: int, order: str) -> None:
    """Grey of twelve bits, as microscopes have it, arrives in both orders, which are the same."""
    samples = np.rint(ramps(1) * 4095)
    parts = [packed_bits(samples[y : y + 7], 12) for y in range(0, HEIGHT, 7)]
    tags = {258: 12, 259: packing, 262: 1, 277: 1}
    (tmp_path / "a.tif").write_bytes(tiff(parts, (WIDTH, HEIGHT), tags, order=order))
    assert farthest(tmp_path / "a.tif", on_white(samples / 4095, "minisblack", None)) <= 1


@pytest.mark.parametrize(("order", "packing", "sign"), list(itertools.product("<>", PACKING, (1, 2))))
def test_grey_of_32_bits(tmp_path: Path, order: str, packing: int, sign: int) -> None:
    """Grey of 32 bits arrives where its values are those of 16, as Pillow writes it, with and without a sign."""
    samples = np.rint(ramps(1) * 65535)
    tags = {258: 32, 259: packing, 262: 1, 277: 1, 339: sign}
    (tmp_path / "a.tif").write_bytes(tiff(pieces([samples], 32, order), (WIDTH, HEIGHT), tags, order=order))
    assert farthest(tmp_path / "a.tif", on_white(samples / 65535, "minisblack", None)) <= 1


@pytest.mark.parametrize(("kind", "count"), [("rgb", 3), ("separated", 4)])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("planar", [1, 2])
def test_colour(tmp_path: Path, kind: str, count: int, bits: int, planar: int) -> None:
    """RGB and CMYK arrive with their samples side by side and in planes, however they are packed."""
    samples = np.rint(ramps(count) * (2**bits - 1))
    planes = [samples] if planar == 1 else [samples[..., n : n + 1] for n in range(count)]
    for order, side, packing in PIECES:
        tags = {258: [bits] * count, 259: packing, 262: PHOTOMETRIC[kind], 277: count, 284: planar}
        parts = pieces(planes, bits, order, side=side)
        (tmp_path / "a.tif").write_bytes(tiff(parts, (WIDTH, HEIGHT), tags, order=order, side=side))
        wanted = on_white(samples / (2**bits - 1), kind, None)
        assert farthest(tmp_path / "a.tif", wanted) <= 2, (order, side, packing)


@pytest.mark.parametrize("scale", [1, 257])
@pytest.mark.parametrize(("bits", "order", "packing"), list(itertools.product((1, 2, 4, 8), "<>", PACKING)))
def test_palettes(tmp_path: Path, bits: int, order: str, packing: int, scale: int) -> None:
    """Colours of a palette are those of 16 bits that the format has, or of 8 where some writers leave them so."""
    colours = np.random.default_rng(1).integers(0, 256, (3, 2**bits))
    colours[:, 0] = 200
    samples = np.rint(ramps(1) * (2**bits - 1)).astype(int)
    tags = {258: bits, 259: packing, 262: 3, 277: 1, 320: [int(value) * scale for value in colours.ravel()]}
    (tmp_path / "a.tif").write_bytes(tiff(pieces([samples], bits, order), (WIDTH, HEIGHT), tags, order=order))
    assert farthest(tmp_path / "a.tif", colours.T[samples[..., 0]]) == 0


@pytest.mark.parametrize(("packing", "planar"), list(itertools.product(PACKING, (1, 2))))
def test_luma_and_chroma(tmp_path: Path, packing: int, planar: int) -> None:
    """YCbCr that is no JPEG arrives in colour, packed or not."""
    samples = np.stack([np.full((HEIGHT, WIDTH), 128), *(255 * ramps(2).transpose(2, 0, 1))], axis=-1).round()
    planes = [samples] if planar == 1 else [samples[..., n : n + 1] for n in range(3)]
    tags = {258: [8] * 3, 259: packing, 262: 6, 277: 3, 284: planar, 530: [1, 1]}
    (tmp_path / "a.tif").write_bytes(tiff(pieces(planes, 8), (WIDTH, HEIGHT), tags))
    luma, blue, red = samples[..., 0], samples[..., 1] - 128, samples[..., 2] - 128
    rgb = np.stack([luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], axis=-1)
    assert farthest(tmp_path / "a.tif", rgb.clip(0, 255)) <= 3


OTHERS: list[tuple[str, dict[int, int | list[int]], str]] = [
    ("inks that are no CMYK", {258: [8] * 4, 262: 5, 277: 4, 332: 2}, "is a TIFF of inks other than CMYK"),
    ("RGB of 32 bits", {258: [32] * 3, 262: 2, 277: 3}, NOT_READ),
    ("three greys", {258: [8] * 3, 262: 1, 277: 3}, NOT_READ),
    ("CIELab of 16 bits", {258: [16] * 3, 262: 8, 277: 3}, NOT_READ),
    ("a mask", {258: 1, 262: 4, 277: 1}, NOT_READ),
    ("an unknown compression", {258: 8, 259: 9, 262: 1, 277: 1}, NOT_READ),
    ("palette with alpha in planes", {258: [8] * 2, 262: 3, 277: 2, 284: 2, 320: [0] * 768, 338: 2}, PLANES),
    ("RGBA and more in planes", {258: [8] * 5, 262: 2, 277: 5, 284: 2, 338: [2, 0]}, PLANES),
]


@pytest.mark.parametrize(("tags", "reason"), [case[1:] for case in OTHERS], ids=[case[0] for case in OTHERS])
def test_what_is_not_read_is_named(tmp_path: Path, tags: dict[int, int | list[int]], reason: str) -> None:
    """A TIFF that would not be decoded right is refused by what it is, before anything is decoded."""
    (tmp_path / "a.tif").write_bytes(tiff([bytes(5 * WIDTH * HEIGHT)] * 15, (WIDTH, HEIGHT), tags))
    with pytest.raises(RowError, match=reason):
        size_of(tmp_path / "a.tif")


def test_big_tiff_of_both_orders(tmp_path: Path) -> None:
    """BigTIFF arrives, but for the order of bytes that Pillow does not know of it, which is named."""
    samples = np.rint(255 * ramps(3)).astype("u1")
    for order in "<>":
        tifffile.imwrite(tmp_path / f"{order}.tif", samples, photometric="rgb", bigtiff=True, byteorder=order)
    assert farthest(tmp_path / "<.tif", samples) == 0
    with pytest.raises(RowError, match="is a BigTIFF of big-endian order, which is not read"):
        read(tmp_path / ">.tif")
