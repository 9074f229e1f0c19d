"""What DataFlow's operators hand to a serving, as numbered rows."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from operator import index
from typing import Any, Final, NamedTuple

from producer.interface.parameters import Parameters
from producer.rows.numbers import LARGEST
from worker.contract.errors import RowsError

#: The columns of these rows, whatever those of the table are called.
COLUMNS: Final[Parameters] = {
    "input_image_key": "images",
    "input_conversation_key": "conversations",
    "output_image_key": "output_image",
}


class Asked(NamedTuple):
    """One thing that is to be made."""

    #: Its key in the answer.
    key: str
    #: The row's number, which names its pictures and decides its seed.
    number: int
    row: dict[str, Any]


def asked_for(inputs: Iterable[Any], task: str) -> list[Asked]:
    """Return what is asked for, each once.

    Of an edit {idx, image_path, prompt[, conversations]}, or (image, prompt); of text2image {sample_id, text_prompt},
    or a text.

    Raises:
        RowsError: one is none of these, or two would have the same key.

    """
    found: dict[str, Asked] = {}
    for place, one in enumerate(inputs):
        asked = _edit(one, place) if task == "imageedit" else _made_of_text(one, place)
        if found.setdefault(asked.key, asked) != asked:
            raise RowsError(
                f"user_inputs[{place}]: {asked.key!r:.80} is the key of another one, too, and its answer would be lost;"
                " give each an idx of its own (save_image_with_idx=True)."
            )
    return [*found.values()]


def _edit(one: Any, place: int) -> Asked:
    if isinstance(one, dict) and "idx" in one:
        turns = one.get("conversations") or [one.get("prompt")]
        row = {"images": one.get("image_path"), "conversations": turns}
        return Asked(f"sample_{one['idx']}", _number(one["idx"]), row)
    if isinstance(one, Sequence) and not isinstance(one, str) and len(one) == 2:  # noqa: PLR2004 - a pair
        image, prompt = one
        return Asked(str(prompt), _digest([image, prompt]), {"images": image, "conversations": [prompt]})
    raise RowsError(
        f"user_inputs[{place}]: expected {{idx, image_path, prompt}} or (image, prompt), found {one!r:.80}."
    )


def _made_of_text(one: Any, place: int) -> Asked:
    if isinstance(one, str):
        return Asked(one, _digest(one), {"conversations": [one]})
    if isinstance(one, dict) and "sample_id" in one:
        key = str(one["sample_id"])
        return Asked(key, _digest(key), {"conversations": [one.get("text_prompt")]})
    raise RowsError(f"user_inputs[{place}]: expected {{sample_id, text_prompt}} or a text, found {one!r:.80}.")


def _number(idx: Any) -> int:
    """Return a row's number: its idx, also one of numpy's; of an index that is none, one that follows from it."""
    try:
        number = index(idx)
    except TypeError:
        return _digest(str(idx))
    return number if 0 <= number <= LARGEST else _digest(str(idx))


def _digest(what: Any) -> int:
    """Return a number that follows from what is asked for: its place would be another's in the next call."""
    digest = hashlib.sha256(json.dumps(what, default=str).encode()).digest()
    return int.from_bytes(digest[:8], "big") & LARGEST
