"""A row's instructions: the texts of its user turns, or of the last one, in any of the forms that data sets have."""

from collections.abc import Iterator
from typing import Any, Final

from producer.rows.fields import Warn, found_in, named, read_text, require_text
from producer.rows.guessing import CONVERSATIONS, did_you_mean
from producer.rows.markup import without_markup
from worker.contract.errors import RowError
from worker.contract.parameters import LONGEST_PROMPT, MOST_IMAGES, Turns

#: Keys of a turn's role and of its text, the first that is there: OpenAI's and DataFlow's, then ShareGPT's and LLaVA's.
_ROLES: Final = ("role", "from")
_TEXTS: Final = ("content", "value")

#: Roles of whoever asks, in lower case; every other role answers, or sets the scene.
_USERS: Final = frozenset({"user", "human"})

#: Where a row lacks the column of this name, it may have it under another: OpenAI's.
_OTHER_NAMES: Final = {"conversations": "messages"}


def instructions(
    fields: dict[str, Any], key: str, *, turns: Turns = "last", warn: Warn, keep_markup: bool
) -> tuple[str, ...]:
    """Return the text of the last user turn, or of each, in order; a turn without a role, or a plain string, is one.

    Raises:
        RowError: there is none; or, where each counts, one has no text.

    """
    if key not in fields and _OTHER_NAMES.get(key) in fields:
        key = _OTHER_NAMES[key]
    said = read_text(fields.get(key), warn)
    if isinstance(said, str):
        said = [said]
    if not isinstance(said, list):
        guess = "." if key in fields else did_you_mean(fields, key, CONVERSATIONS)
        raise RowError(f"{key}: expected a list of turns, found {found_in(fields, key)}{guess}")
    if turns == "last":
        return (_plain(_last_text(said, key), key, "the instruction", warn, keep_markup=keep_markup),)
    texts = dict(_each_text(said, key))
    if not texts:
        raise _without_text(said, key)
    return tuple(_plain(texts[number], key, f"turn {number}", warn, keep_markup=keep_markup) for number in texts)


def require_room(turns: int, num_images: int, key: str) -> None:
    """Make sure that a row of several turns makes no more images than a row may have.

    Raises:
        RowError: it does.

    """
    if turns * num_images > MOST_IMAGES:
        images = f" of {num_images} images each" if num_images > 1 else ""
        raise RowError(
            f"{key}: {turns} user turns{images} make more than the {MOST_IMAGES} images that a row may have; split the"
            " row, or edit by its last turn alone with --turns last."
        )


def _plain(text: str, key: str, what: str, warn: Warn, *, keep_markup: bool) -> str:
    if len(text) > LONGEST_PROMPT:
        raise RowError(f"{key}: {what} has {len(text)} characters, more than {LONGEST_PROMPT}.")
    plain = without_markup(require_text(text, key), warn, keep=keep_markup)
    if not plain:
        raise RowError(f"{key}: {what} is nothing but placeholders of images ({text[:80]}).")
    return plain


def _last_text(turns: list[Any], key: str) -> str:
    for number in range(len(turns), 0, -1):
        turn = turns[number - 1]
        if isinstance(turn, dict) and not _is_users(turn):
            continue
        # The last one decides: an earlier instruction was for an earlier picture.
        if text := _text(_content(turn, key, number) if isinstance(turn, dict) else turn):
            return text
        break
    raise _without_text(turns, key)


def _each_text(turns: list[Any], key: str) -> Iterator[tuple[int, str]]:
    """Iterate over the user's turns, each with its number among all turns, from 1."""
    for number, turn in enumerate(turns, 1):
        if isinstance(turn, dict) and not _is_users(turn):
            continue
        text = _text(_content(turn, key, number) if isinstance(turn, dict) else turn)
        if not text:
            raise RowError(f"{key}: turn {number} has no text, and with --turns each every user turn is an edit.")
        yield number, text


def _without_text(turns: list[Any], key: str) -> RowError:
    roles = [str(_first(turn, _ROLES)) for turn in turns if isinstance(turn, dict) and not _is_users(turn)]
    others = f" (found {named(dict.fromkeys(roles))})" if roles and len(roles) == len(turns) else ""
    return RowError(f"{key}: no user turn with text{others}.")


def _first(turn: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((turn[key] for key in keys if turn.get(key) is not None), None)


def _is_users(turn: dict[str, Any]) -> bool:
    role = _first(turn, _ROLES)
    return role is None or (isinstance(role, str) and role.strip().lower() in _USERS)


def _content(turn: dict[str, Any], key: str, number: int) -> Any:
    if not any(name in turn for name in _TEXTS):
        has = named(turn) if turn else "nothing"
        raise RowError(f"{key}: turn {number} has {has}; expected {named(_TEXTS, 'or')}.")
    return _first(turn, _TEXTS)


def _text(content: Any) -> str:
    """Return a turn's text: a string, or the text parts of a list of parts."""
    if isinstance(content, str):
        return content.strip()
    if isinstance(content, list):
        parts = (_first(part, ("text", "value")) if isinstance(part, dict) else part for part in content)
        return "\n".join(part.strip() for part in parts if isinstance(part, str) and part.strip())
    return ""
