"""Data for the page is a script that holds data and nothing else, whatever a row has in it."""

import json
from typing import Any

import pytest

from producer.gallery.script import script


@pytest.mark.parametrize(
    "value",
    [
        "</script><script>alert(1)</script>",
        "<!-- <script>",
        "]]> & &amp; '\" \\ \\u003c",
        "line\u2028separators\u2029, NUL \0, and \r\n",
        "half a pair \ud800, a whole one \U0001f642",
        {"a</script>": ["<", {"b": None, "c": 1.5, "d": True}]},
    ],
)
def test_what_a_row_holds_stays_data(value: Any) -> None:
    """Nothing in it ends the script, begins a tag or a line, or leaves ASCII; and it reads as what it was."""
    text = script("rows", "rows-0.js", value)
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert text.count("\n") == 1
    arguments = text.removeprefix("gallery.rows(").removesuffix(");\n")
    assert json.loads(f"[{arguments}]") == ["rows-0.js", value]


def test_what_no_script_can_hold_is_no_script() -> None:
    """A number that JSON does not know never becomes a name in a script."""
    with pytest.raises(ValueError, match="JSON"):
        script("rows", float("nan"))
