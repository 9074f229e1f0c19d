"""What the owner of a row should know that was edited, or left alone, other than they may have meant: named kinds."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final


class RowWarning(StrEnum):
    """A kind of warning; its value is what stands in a row's column, in `status` and in the ledger. Never renamed."""

    #: Found in the row, by the producer.
    KEPT = "kept"
    IMAGES_UNUSED = "images-unused"
    SIZE_ROUNDED = "size-rounded"
    JSON_TEXT = "json-text"
    MARKUP_REMOVED = "markup-removed"
    MARKUP_UNKNOWN = "markup-unknown"
    EDIT_IGNORED = "edit-ignored"
    #: Found by whoever opens the picture.
    IMAGE_RENAMED = "image-renamed"
    IMAGE_DAMAGED = "image-damaged"
    IMAGE_PREVIEW = "image-preview"
    IMAGE_TRANSPARENT = "image-transparent"
    IMAGE_FRAME = "image-frame"
    #: Found by the worker, which has the model's tokenizer.
    INSTRUCTION_CUT = "instruction-cut"


#: What each kind means, for a sentence about any number of rows.
MEANING: Final[Mapping[RowWarning, str]] = {
    RowWarning.KEPT: "came with their output, and were left alone",
    RowWarning.IMAGES_UNUSED: (
        "more than one image, of which the first is edited (--multi-image stitch edits them all, side by side)"
    ),
    RowWarning.SIZE_ROUNDED: "a size of its own that was rounded down to what the model takes",
    RowWarning.JSON_TEXT: "a list or an object that was written as text, and was read as what it is",
    RowWarning.MARKUP_REMOVED: "placeholders of an image in the instruction, which were taken out (--keep-markup)",
    RowWarning.MARKUP_UNKNOWN: "something in the instruction that looks like markup, and was left there",
    RowWarning.EDIT_IGNORED: "no object in the column of own parameters, so that it counts as a column of your own",
    RowWarning.IMAGE_RENAMED: "the picture was found under another spelling of its name",
    RowWarning.IMAGE_DAMAGED: "the picture's file is damaged, though all of its pixels are there",
    RowWarning.IMAGE_PREVIEW: "the file holds no more than a preview of the picture",
    RowWarning.IMAGE_TRANSPARENT: "the picture is transparent everywhere, and was taken as if it were not",
    RowWarning.IMAGE_FRAME: "the first frame shows nothing, and the first that shows something was taken",
    RowWarning.INSTRUCTION_CUT: "the instruction is longer than the model reads",
}

_ORDER: Final = {kind: place for place, kind in enumerate(RowWarning)}


def in_order(kinds: Iterable[RowWarning]) -> tuple[RowWarning, ...]:
    """Return kinds of warnings once each, in the order of their definition."""
    return tuple(sorted(set(kinds), key=_ORDER.__getitem__))
