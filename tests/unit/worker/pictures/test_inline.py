"""A picture that stands in its row is read like one in a file, under the same limits."""

import base64
import hashlib
from pathlib import Path

import pytest

from tests.support.files import encoded, photo
from worker.contract.errors import RowError
from worker.contract.inline_images import LARGEST
from worker.pictures.decoding import read, size_of
from worker.pictures.inline import InlineFile


def uri(data: bytes) -> str:
    """Write a picture as the producer does."""
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def test_it_is_the_same_picture(tmp_path: Path) -> None:
    """The row's own picture has the size, the pixels and the digest that it would have in a file."""
    data = encoded(photo(40, 30))
    (tmp_path / "a.png").write_bytes(data)
    inline = InlineFile(uri(data))
    assert size_of(inline) == (40, 30)
    assert read(inline).image == read(tmp_path / "a.png").image
    assert read(inline).digest == hashlib.sha256(data).hexdigest()


def test_its_errors_are_short() -> None:
    """An error names the kind and the size of the picture, and not all of its text."""
    with pytest.raises(
        RowError, match=r"^image data:image/png \(400 bytes, in the row itself\): is text, not an image; .*\.$"
    ):
        read(InlineFile(uri(b"x" * 400)))


def test_its_pixels_are_limited() -> None:
    """What a few kilobytes unpack to is known before they are unpacked."""
    with pytest.raises(RowError, match="has more than 100 pixels"):
        read(InlineFile(uri(encoded(photo(40, 30)))), max_pixels=100)


@pytest.mark.parametrize(
    "text",
    ["data:", "data:image/png;base64,", "data:x,%%%", uri(bytes(LARGEST + 1)), "data:" + "A" * 3 * LARGEST],
    ids=["nothing", "empty", "no base64", "large", "very large"],
)
def test_nonsense_in_a_message_is_the_rows_error(text: str) -> None:
    """Whoever can write to Redis can send anything: it is one row's error."""
    with pytest.raises(RowError, match="no base64, or too large"):
        InlineFile(text)
