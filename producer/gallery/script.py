"""Data as a script: a page that is opened as a file may load scripts, and nothing else."""

import json
from typing import Any, Final

#: What could end a script or begin a tag, wherever the text may be copied to; JSON has these in texts only.
_ESCAPES: Final = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&"})


def script(function: str, *arguments: Any) -> str:
    """Return a call of one of the page's functions, in ASCII, with arguments that are data whatever they hold."""
    texts = (json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")) for value in arguments)
    return f"gallery.{function}({','.join(texts).translate(_ESCAPES)});\n"
