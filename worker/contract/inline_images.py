"""Pictures that stand in a row as text, and cross the network in its message: `data:` URIs of base64."""

import base64
import binascii
import re
from typing import Final

from worker.contract.errors import RowError

#: Most bytes of such a picture: it lies in Redis, which is memory, for as long as its row waits.
LARGEST: Final = 2**20

_URI: Final = re.compile(r"data:(?P<type>[^;,\s]*)(?P<options>(?:;[^;,\s]*)*),(?P<data>.*)", re.DOTALL | re.IGNORECASE)

#: How the base64 of PNG, JPEG, GIF, WebP and TIFF begins. BMP's two letters could be any word.
_BEGINS: Final = ("iVBORw0KGgo", "/9j/", "R0lGODdh", "R0lGODlh", "UklGR", "SUkqA", "TU0AK")

#: Characters below which a text is a file's name, whatever it begins with; no picture is smaller than that.
_SHORTEST: Final = 64

_BASE64: Final = re.compile(r"[A-Za-z0-9+/\s]+=*\s*")


def looks_like_base64(text: str) -> bool:
    """Tell whether a text is the base64 of a picture, and no path: those have a dot."""
    return text.startswith(_BEGINS) and len(text) >= _SHORTEST and _BASE64.fullmatch(text) is not None


def data_uri(text: str, key: str) -> str:
    """Return the one `data:` URI, among all spellings, of a picture that a row holds as such a URI or as base64.

    Raises:
        RowError: it is no base64, or too large; names the column.

    """
    found = _URI.fullmatch(text.strip()) if text[:5].lower() == "data:" else None
    if text[:5].lower() == "data:" and (found is None or "base64" not in found["options"].lower()):
        raise RowError(f"{key}: the data: URI is no base64; save the picture as a file and name its path.")
    packed = "".join((found["data"] if found else text).split())
    data = _decoded(packed)
    if not data:
        raise RowError(f"{key}: holds a picture as text that is no base64; save it as a file and name its path.")
    if len(data) > LARGEST:
        raise RowError(
            f"{key}: a picture of {len(data)} bytes within the row is more than {LARGEST}; save it as a file and name"
            " its path."
        )
    kind = (found["type"].lower() if found else "") or "image"
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def is_inline(image: str) -> bool:
    """Tell whether an image of a request is such a picture, and no path."""
    return image.startswith("data:")


def bytes_of(uri: str) -> bytes:
    """Return the bytes of a picture, as `data_uri` writes it.

    Raises:
        RowError: it is no such URI, or too large; whoever can write to Redis can send anything.

    """
    data = _decoded(uri.partition(",")[2]) if len(uri) < 2 * LARGEST else None
    if not data or len(data) > LARGEST:
        raise RowError("the picture in the message is no base64, or too large.")
    return data


def _decoded(packed: str) -> bytes | None:
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
