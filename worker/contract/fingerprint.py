"""A row's fingerprint: by it a finished row is known again, and a changed one is done anew."""

import hashlib
import json
from typing import Any, Final

#: Made once: `json.dumps` would make one per row.
_encode: Final = json.JSONEncoder(sort_keys=True).encode


def fingerprint(**decisive: Any) -> str:
    """Digest what decides a row's pictures: 32 hex digits, the same in every process and version of Python."""
    # JSON: key order must not matter, nor a separator inside a value, nor what this Python holds to be printable.
    return digest(_encode(decisive))[:32]


def digest(text: str) -> str:
    """Return the SHA-256 of a text: 64 hex digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
