"""A process of its own that decodes HEIF: some broken files make its decoder crash, which must not end a worker.

`python heif_decoder.py header|pixels` reads a file from its standard input, and writes a line of JSON and, if asked,
the pixels. It imports nothing of this project.
"""

import json
import sys
from io import BytesIO

from pi_heif import HeifImageFile


def main() -> None:
    """Answer one question, or end with the decoder's reason."""
    try:
        image = HeifImageFile(BytesIO(sys.stdin.buffer.read()))
        if sys.argv[1] == "pixels":
            image.load()
    except Exception as error:  # whatever a broken file makes it stumble over
        sys.exit(str(error) or type(error).__name__)
    facts = {"size": image.size, "mode": image.mode, "icc": (image.info.get("icc_profile") or b"").hex()}
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n")
    if sys.argv[1] == "pixels":
        sys.stdout.buffer.write(image.tobytes())


if __name__ == "__main__":
    main()
