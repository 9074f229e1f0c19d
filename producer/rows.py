"""A line of the input jsonl becomes a request, or the exact reason why not."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from producer.jsontext import decode
from worker.contract import EditRequest, fingerprint, first_problem, row_seed
from worker.errors import RowError
from worker.settings import Settings


class Line(NamedTuple):
    """A non-blank line of the input."""

    #: 0-based among the non-blank lines; names the row's files and never shifts.
    row: int
    #: 1-based in the file, for people.
    number: int
    #: Without surrounding blanks; bytes that are no UTF-8 are written as escapes.
    text: str
    is_utf8: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A line and what is to be done about it: exactly one of a request, an error, or nothing (`kept`)."""

    line: Line
    #: The line's object; None if it is none.
    fields: dict[str, Any] | None = None
    request: EditRequest | None = None
    error: str | None = None

    @property
    def kept(self) -> bool:
        """Whether the row came with its output and is left alone."""
        return self.request is None and self.error is None


def read_lines(path: Path) -> Iterator[Line]:
    """Stream the non-blank lines of a jsonl. A byte order mark, CRLF and bytes that are no UTF-8 are borne."""
    with path.open("rb") as file:
        row = 0
        for number, raw in enumerate(file, start=1):
            line = raw.removeprefix(b"\xef\xbb\xbf").strip()
            if line:
                yield _line(row, number, line)
                row += 1


def _line(row: int, number: int, raw: bytes) -> Line:
    try:
        return Line(row, number, raw.decode())
    except UnicodeDecodeError:
        # Escaped, not dropped: a broken line is handed back with everything that was in it.
        return Line(row, number, raw.decode("utf-8", "backslashreplace"), is_utf8=False)


class RowParser:
    """Turns lines into rows, for one run."""

    def __init__(self, settings: Settings, *, run: str, input_path: Path, run_dir: Path) -> None:
        self._settings = settings
        self._model = settings.model  # once: it looks whether the name is a folder
        self._run = run
        # Absolute, so that a worker with another working directory finds them.
        self._input_dir = str(input_path.parent.absolute())
        self._output_dir = str(run_dir.absolute())

    def parse(self, line: Line) -> Row:
        """Never raises: a line that cannot be edited becomes a row with an error."""
        fields = None
        try:
            fields = _fields(line)
            if _has_output(fields.get(self._settings.output_image_key)):
                return Row(line=line, fields=fields)
            return Row(line=line, fields=fields, request=self._request(line, fields))
        except RowError as error:
            return Row(line=line, fields=fields, error=f"line {line.number}: {error}")
        except ValidationError as error:
            return Row(line=line, fields=fields, error=f"line {line.number}: {first_problem(error)}.")

    def _request(self, line: Line, fields: dict[str, Any]) -> EditRequest:
        settings = self._settings
        decisive: dict[str, Any] = {
            "image": self._image(fields),
            "prompt": _instruction(fields, settings.input_conversation_key),
            "model": self._model,
            "steps": settings.steps,
            "guidance": settings.guidance,
            "num_images": settings.num_images,
            "seed": row_seed(settings.seed, line.row),
            "size": settings.size,
        }
        return EditRequest(
            run=self._run,
            row=line.row,
            fingerprint=fingerprint(**decisive),
            output_dir=self._output_dir,
            **decisive,
        )

    def _image(self, fields: dict[str, Any]) -> str:
        key = self._settings.input_image_key
        value = fields.get(key)
        if isinstance(value, list) and value:
            value = value[0]
        if not isinstance(value, str) or not value.strip():
            found = _kind(value) if key in fields else "no such field"
            raise RowError(f"{key}: expected a path or a list of paths, found {found}.")
        path = os.path.normpath(os.path.join(self._input_dir, value))  # noqa: PTH118 - 10 million times
        _check_text(path, key)
        if "://" in value:
            raise RowError(f"{key}: {value} is a URL; download the image and name its path.")
        return path


def _fields(line: Line) -> dict[str, Any]:
    if not line.is_utf8:
        raise RowError("is no UTF-8 text.")
    try:
        fields = decode(line.text)
    except (ValueError, RecursionError) as error:
        raise RowError(f"is no JSON ({error}).") from None
    if not isinstance(fields, dict):
        raise RowError(f"expected a JSON object, found {_kind(fields)}.")
    return fields


def _instruction(fields: dict[str, Any], key: str) -> str:
    """Return the text of the last user turn; a turn without a role, or a plain string, counts as the user's."""
    turns = fields.get(key)
    if isinstance(turns, str):
        turns = [turns]
    if not isinstance(turns, list):
        found = _kind(turns) if key in fields else "no such field"
        raise RowError(f"{key}: expected a list of turns, found {found}.")
    for turn in reversed(turns):
        if isinstance(turn, dict) and turn.get("role") not in {None, "user"}:
            continue
        # The last one decides: an earlier instruction was for an earlier picture.
        text = _text(turn.get("content") if isinstance(turn, dict) else turn)
        if not text:
            break
        _check_text(text, key)
        return text
    raise RowError(f"{key}: no user turn with text.")


def _text(content: Any) -> str:
    """Return a turn's text: a string, or the text parts of a list of parts."""
    if isinstance(content, str):
        return content.strip()
    if isinstance(content, list):
        parts = (part.get("text") if isinstance(part, dict) else part for part in content)
        return "\n".join(part.strip() for part in parts if isinstance(part, str) and part.strip())
    return ""


def _check_text(text: str, key: str) -> None:
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise RowError(f"{key}: holds a character that is no text (NUL or half a surrogate pair).")


def _has_output(value: Any) -> bool:
    return any(value) if isinstance(value, list) else bool(value)


def _kind(value: Any) -> str:
    if value in (None, "", [], {}):
        return {"None": "null", "''": "an empty string", "[]": "an empty list"}.get(repr(value), "an empty object")
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "a list",
        dict: "an object",
    }
    return names[type(value)]
