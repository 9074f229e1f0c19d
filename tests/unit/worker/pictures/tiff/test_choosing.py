"""Of several pictures in a TIFF the one that is meant is taken; what must be developed first is named."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.support.tiffs import Tags, file_of
from worker.contract.errors import RowError
from worker.contract.row_warnings import RowWarning
from worker.pictures.decoding import Source, read, size_of

#: Tags: new and old subfile type, maker, orientation, parts, DNG's version, compression and photometric interpretation.
KIND, OLD_KIND, MAKE, ORIENTATION, PARTS, DNG = 254, 255, 271, 274, 330, 50706
PACKING, PIXELS = 259, 262

#: Kinds: a smaller version of another, a page of several, a mask; and the old kind of a smaller version.
REDUCED, PAGE, MASK = {KIND: 1}, {KIND: 2}, {KIND: 4}
OLD_REDUCED = {OLD_KIND: 2}


def written(path: Path, *pictures: tuple[int, Mapping[int, int | bytes]], parts: int = 0, order: str = "<") -> Path:
    """Write grey pictures, each of a shade that is its width, with more tags; the last `parts` are the first's own."""
    content, directories = b"", []
    for width, tags in pictures:
        pixels = bytes([width]) * width * 8
        place: Tags = {273: 8 + len(content), 278: 8, 279: len(pixels)}
        directories.append({256: width, 257: 8, 258: 8, PACKING: 1, PIXELS: 1, 277: 1, **place, **tags})
        content += pixels
    path.write_bytes(file_of(directories, content, order, parts=parts))
    return path


def taken(path: Path) -> Source:
    """Read a file, after a look at its header has said the same of its size."""
    source = read(path)
    assert size_of(path) in {source.image.size, source.image.size[::-1]}
    return source


CHOICES = {
    "a preview first": ([(16, REDUCED), (32, {})], 32),
    "a preview first, of the old kind": ([(16, OLD_REDUCED), (32, {})], 32),
    "a larger preview first": ([(48, REDUCED), (32, {})], 32),
    "a pyramid upside down": ([(8, REDUCED), (16, REDUCED), (32, {}), (4, REDUCED)], 32),
    "a pyramid": ([(32, {}), (16, REDUCED), (8, REDUCED)], 32),
    "previews alone: the largest": ([(8, REDUCED), (24, REDUCED), (16, REDUCED)], 24),
    "pages: the first": ([(16, PAGE), (32, PAGE)], 16),
    "pictures: the first": ([(16, {}), (32, {})], 16),
    "a preview and pages": ([(8, REDUCED), (24, PAGE), (32, MASK)], 24),
    "a mask first": ([(48, MASK), (32, {})], 32),
    "a mask of a preview": ([(8, REDUCED), (48, {KIND: 5})], 48),
}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("pictures", "width"), CHOICES.values(), ids=CHOICES)
def test_which_picture(tmp_path: Path, pictures: list[tuple[int, dict[int, int]]], width: int, order: str) -> None:
    """The first picture is taken, unless the file calls it a preview or a mask: then the largest that is none."""
    source = taken(written(tmp_path / "a.tif", *pictures, order=order))
    assert source.image.size == (width, 8)
    assert source.image.getcolors() == [(width * 8, (width,) * 3)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_part_that_is_the_picture(tmp_path: Path, order: str) -> None:
    """A picture that is a part of its preview is taken instead, and turned as the preview is."""
    turned = written(
        tmp_path / "a.tif", (16, {**REDUCED, ORIENTATION: 6}), (24, REDUCED), (32, {}), parts=2, order=order
    )
    assert taken(turned).image.size == (8, 32)
    own = written(tmp_path / "b.tif", (16, {**REDUCED, ORIENTATION: 6}), (32, {ORIENTATION: 1}), parts=1, order=order)
    assert taken(own).image.size == (32, 8)


def test_parts_that_are_previews(tmp_path: Path) -> None:
    """A picture whose parts are its previews is taken itself."""
    assert taken(written(tmp_path / "a.tif", (32, {}), (16, REDUCED), (48, REDUCED), parts=2)).image.size == (32, 8)


def test_only_a_preview_is_said(tmp_path: Path) -> None:
    """Where a file holds nothing but a preview, that is edited and said; where it holds more, nothing is."""
    assert taken(written(tmp_path / "a.tif", (16, REDUCED))).warnings == {RowWarning.IMAGE_PREVIEW}
    assert taken(written(tmp_path / "b.tif", (16, OLD_REDUCED))).warnings == {RowWarning.IMAGE_PREVIEW}
    assert taken(written(tmp_path / "c.tif", (16, REDUCED), (32, {}))).warnings == frozenset()


@pytest.mark.parametrize("next_one", [8, 100, 2**31, 2**32 - 1])
def test_a_chain_that_leads_nowhere(tmp_path: Path, next_one: int) -> None:
    """A preview whose next directory is itself, pixels or beyond the file is all that is left."""
    path = written(tmp_path / "a.tif", (16, REDUCED))
    data = bytearray(path.read_bytes())
    own = int.from_bytes(data[4:8], "little")
    data[-4:] = (own if next_one == 8 else next_one).to_bytes(4, "little")
    path.write_bytes(data)
    assert taken(path).image.size == (16, 8)


def test_parts_that_lead_nowhere(tmp_path: Path) -> None:
    """Parts that are broken, or beyond the file, do not make the picture itself broken."""
    for part in (0, 8, 2**32 - 1):
        assert taken(written(tmp_path / "a.tif", (16, {PARTS: part}))).image.size == (16, 8)


RAW = {
    "DNG": ([(16, {**REDUCED, DNG: b"\1\4\0\0"})], "DNG"),
    "DNG whose pixels are developed": ([(16, {}), (32, {DNG: b"\1\4\0\0"})], "DNG"),
    "Nikon": ([(16, {**REDUCED, MAKE: b"NIKON CORPORATION\0"}), (32, {PIXELS: 32803})], "NEF"),
    "Sony": ([(16, {**REDUCED, MAKE: b"SONY\0"}), (32, {PACKING: 32767})], "ARW"),
    "Pentax": ([(32, {MAKE: b"PENTAX\0", PACKING: 65535})], "PEF"),
    "linear, of a maker that has no kind": ([(32, {MAKE: b"Acme\0", PIXELS: 34892})], "Acme"),
    "of nobody": ([(32, {PIXELS: 32803})], "of no known maker"),
}


@pytest.mark.parametrize("parts", [False, True])
@pytest.mark.parametrize(("pictures", "name"), RAW.values(), ids=RAW)
def test_camera_raw_is_named(
    tmp_path: Path, pictures: list[tuple[int, dict[int, int | bytes]]], name: str, *, parts: bool
) -> None:
    """What a sensor saw is refused by its kind's name, wherever in the file it lies, before anything is decoded."""
    path = written(tmp_path / "a.tif", *pictures, parts=len(pictures) - 1 if parts else 0)
    if name == "DNG" and len(pictures) > 1 and not parts:
        return  # another picture behind a whole one is no matter
    for look in (size_of, read):
        with pytest.raises(RowError, match=rf"is camera raw \({name}; develop it to TIFF, PNG or JPEG\)\.$"):
            look(path)


@pytest.mark.parametrize(("mark", "name"), [(b"CR\2\0", "CR2"), (b"IIII", "IIQ")])
def test_camera_raw_that_its_header_names(tmp_path: Path, mark: bytes, name: str) -> None:
    """Canon's and Phase One's say in their header what they are."""
    path = written(tmp_path / "a.tif", (16, {}))
    data = bytearray(path.read_bytes())
    path.write_bytes(data[:8] + mark + data[12:])
    with pytest.raises(RowError, match=rf"is camera raw \({name};"):
        size_of(path)


def test_a_preview_in_big_tiff(tmp_path: Path) -> None:
    """In a file of more than 4 GB, whose offsets are longer, the picture behind a preview is found, too."""
    with tifffile.TiffWriter(tmp_path / "a.tif", bigtiff=True) as file:
        file.write(np.full((8, 16), 16, "u1"), subfiletype=1)
        file.write(np.full((8, 32), 32, "u1"))
    assert taken(tmp_path / "a.tif").image.size == (32, 8)
