"""Rows of text2image, whose pictures are made from the instruction alone: what such a row must not name."""

from typing import Any

from producer.rows.outputs import has_output
from producer.rows.overrides import Overrides
from worker.contract.errors import RowError
from worker.contract.parameters import exact_size


def require_no_image(fields: dict[str, Any], key: str) -> None:
    """Make sure that a row names no image; what data sets' writers put where there is none is none.

    Raises:
        RowError: it names one; whoever wrote it wanted it edited.

    """
    if has_output(fields.get(key)):
        raise RowError(
            f"{key}: names an image, and text2image takes none; leave it out, or edit it with --task imageedit."
        )


def require_size_by_number(own: Overrides, key: str | None) -> None:
    """Make sure that a size of the row's own does not follow from a picture.

    Raises:
        RowError: it does.

    """
    if own.size is not None and exact_size(own.size) is None:
        raise RowError(
            f"{key}.size: {own.size} follows from a picture, and text2image has none; name a width and a height such as"
            " 1024x1024."
        )
