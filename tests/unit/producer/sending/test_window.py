"""No more of a run is in Redis at a time than its memory is for."""

import pytest

from producer.sending.window import Window
from tests.support.requests import make_request


@pytest.mark.parametrize(
    ("images", "rows"),
    [
        (["/a.png"] * 9, 100),  # 7 bytes each, with the instruction
        (["/" + "a" * 98] * 9, 10),
        (["/" + "a" * 998] * 9, 1),
        (["/" + "a" * 9998] * 9, 1),  # one is always let in
        (["/a.png"] * 8 + ["/" + "a" * 942], 9),  # the mean decides
    ],
)
def test_large_rows_are_fewer(images: list[str], rows: int) -> None:
    """Rows that hold their pictures take up the window sooner than rows that name a file."""
    window = Window(100, most_bytes=1000)
    window.add(make_request(images=(image,), prompt="x") for image in images)
    assert window.rows == rows
