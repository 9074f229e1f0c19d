"""A row's image is found in whatever form a data set has it: a path, an object, a URI, or the picture itself."""

import base64
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tests.support.rows import ROW, parse
from worker.contract.inline_images import LARGEST
from worker.contract.row_warnings import RowWarning


def packed(kind: str = "PNG", size: int = 24) -> str:
    """Return a picture as base64."""
    file = BytesIO()
    Image.effect_noise((size, size), 90).save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


def images_of(images: Any, **given: Any) -> tuple[tuple[str, ...], tuple[RowWarning, ...]]:
    """Return the images of a good row, and what is said of it."""
    row = parse({**ROW, "images": images}, **given)
    assert row.request is not None, row.error
    return row.request.images, row.warnings


@pytest.mark.parametrize(
    ("images", "path"),
    [
        ({"path": "a.png", "bytes": None}, "/data/a.png"),
        ({"path": "a.png"}, "/data/a.png"),
        ([{"path": "/x/a.png", "bytes": ""}], "/x/a.png"),
        ({"image": "a.png"}, "/data/a.png"),
        ({"type": "image_url", "image_url": {"url": "file:///x/a.png"}}, "/x/a.png"),
        ({"url": "a.png"}, "/data/a.png"),
        ("file:a.png", "/data/a.png"),
        ("file:///x/a%20b.png", "/x/a b.png"),
        ("file://localhost/x/a.png", "/x/a.png"),
        ("FILE:/x/%C3%A4.png", "/x/ä.png"),
        ("sub\\a.png", "/data/sub\\a.png"),  # whether there is such a file is the worker's to say
        ("data/a.png", "/data/data/a.png"),
        ("/9j/short", "/9j/short"),
    ],
)
def test_paths_in_other_forms(images: Any, path: str) -> None:
    """Image objects and file URIs name a path, relative ones in the jsonl's own folder."""
    assert images_of(images) == ((path,), ())


@pytest.mark.parametrize("text", ['["a.png"]', '{"path": "a.png", "bytes": null}', "['a.png']"])
def test_images_that_are_written_as_text(text: str) -> None:
    """A list or an object in a table's cell is read as what it is, and that is said."""
    assert images_of(text) == (("/data/a.png",), (RowWarning.JSON_TEXT,))


def test_a_file_may_have_brackets() -> None:
    """A name that only begins like a list is a name."""
    assert images_of("[a].png") == (("/data/[a].png",), ())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF"])
def test_a_picture_in_the_row_itself(kind: str) -> None:
    """A picture as base64, bare, in a URI or in an object, becomes one and the same URI but for its kind."""
    text = packed(kind)
    broken = "\n".join(text[at : at + 60] for at in range(0, len(text), 60))
    expected = f"data:image;base64,{text}"
    for images in (text, broken, [text], {"bytes": text, "path": "a.png"}, f"data:;base64,{text}"):
        assert images_of(images) == ((expected,), ())
    mime = f"data:image/{kind.lower()};base64,{text}"
    for images in (mime, f"  {mime}  ".strip(), f"DATA:image/{kind};charset=x;BASE64,{broken}", {"url": mime}):
        assert images_of(images)[0] == (mime,)


def test_several_pictures_in_rows_are_stitched() -> None:
    """Pictures in the row and paths may stand side by side."""
    images, _ = images_of([packed(), "a.png"], multi_image="stitch")
    assert [image[:5] for image in images] == ["data:", "/data"]


@pytest.mark.parametrize(
    ("images", "error"),
    [
        ({}, "the object of an image has nothing; expected "),
        ({"file": "a.png"}, 'the object of an image has "file"; expected "bytes" or "path".'),
        ({"path": "", "bytes": None}, "the object of an image has neither a path nor bytes."),
        ({"url": "https://host/a.png"}, "https://host/a.png is on no host that FLEET_ALLOW_URLS (--allow-urls) names."),
        ("ftp://me:secret@host/a.png", "ftp://host/a.png is a URL of no kind that is read (s3://, "),
        ("http://host/a.png", "http://host/a.png is at http://; "),
        ("https://me:secret@host/a.png?token=secret", "https://host/a.png has a user or a password in it; "),
        ("https://me:a/secret@host/a.png", "https://host/a.png has a user or a password in it; "),
        ("s3://me:a/secret@bucket/a.png", "s3://bucket/a.png has a user or a password in it; "),
        ("s3://bucket", "s3://bucket names no object; "),
        ("s3://bucket/../other/a.png", "s3://bucket/../other/a.png leads out of its bucket or host."),
        ("file://server/share/a.png", "file://server/share/a.png names a file of another machine; "),
        ("file:", "file: names no file; "),
        ("data:image/svg+xml,<svg/>", "the data: URI is no base64; "),
        ("data:image/png;base64,%%%", "holds a picture as text that is no base64; "),
        ("data:image/png;base64,", "holds a picture as text that is no base64; "),
        ({"bytes": "b'\\x89PNG'"}, "holds a picture as text that is no base64; "),
        ("data:", "the data: URI is no base64; "),
    ],
)
def test_what_is_no_image_is_an_error(images: Any, error: str) -> None:
    """Each form has its own error, which says what to do."""
    assert (parse({**ROW, "images": images}).error or "").startswith(f"line 3: images: {error}")


def test_a_large_picture_in_a_row_is_refused() -> None:
    """A message lies in Redis' memory: pictures of more than a megabyte are to be files."""
    sizes = (LARGEST, LARGEST + 1)
    fits, too_large = (f"data:image/png;base64,{base64.b64encode(bytes(size)).decode()}" for size in sizes)
    assert images_of(fits)
    error = parse({**ROW, "images": too_large}).error or ""
    assert "within the row is more than 1048576; save it as a file" in error


def test_a_missing_column_names_those_that_there_are() -> None:
    """A row without the column says which columns it has."""
    error = parse({"image": "a.png", "conversations": "x"}).error or ""
    assert error.startswith("line 3: images: expected a path or a list of paths, ")
    assert error.endswith(
        'found no such field (there is "image" and "conversations"); did you mean --input-image-key image?'
    )
