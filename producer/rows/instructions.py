"""A row's instruction: the text of the last user turn, in any of the forms that data sets have."""

from typing import Any, Final

from producer.rows.fields import Warn, found_in, named, read_text, require_text
from producer.rows.guessing import CONVERSATIONS, did_you_mean
from producer.rows.markup import without_markup
from worker.contract.errors import RowError
from worker.contract.parameters import LONGEST_PROMPT

#: Keys of a turn's role and of its text, the first that is there: OpenAI's and DataFlow's, then ShareGPT's and LLaVA's.
_ROLES: Final = ("role", "from")
_TEXTS: Final = ("content", "value")

#: Roles of whoever asks, in lower case; every other role answers, or sets the scene.
_USERS: Final = frozenset({"user", "human"})

#: Where a row lacks the column of this name, it may have it under another: OpenAI's.
_OTHER_NAMES: Final = {"conversations": "messages"}


def instruction(fields: dict[str, Any], key: str, *, warn: Warn, keep_markup: bool) -> str:
    """Return the text of the last user turn; a turn without a role, or a plain string, counts as the user's.

    Raises:
        RowError: there is none.

    """
    if key not in fields and _OTHER_NAMES.get(key) in fields:
        key = _OTHER_NAMES[key]
    turns = read_text(fields.get(key), warn)
    if isinstance(turns, str):
        turns = [turns]
    if not isinstance(turns, list):
        guess = "." if key in fields else did_you_mean(fields, key, CONVERSATIONS)
        raise RowError(f"{key}: expected a list of turns, found {found_in(fields, key)}{guess}")
    text = _last_text(turns, key)
    if len(text) > LONGEST_PROMPT:
        raise RowError(f"{key}: the instruction has {len(text)} characters, more than {LONGEST_PROMPT}.")
    plain = without_markup(require_text(text, key), warn, keep=keep_markup)
    if not plain:
        raise RowError(f"{key}: the instruction is nothing but placeholders of images ({text[:80]}).")
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
    roles = [str(_first(turn, _ROLES)) for turn in turns if isinstance(turn, dict) and not _is_users(turn)]
    others = f" (found {named(dict.fromkeys(roles))})" if roles and len(roles) == len(turns) else ""
    raise RowError(f"{key}: no user turn with text{others}.")


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
