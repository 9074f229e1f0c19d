"""HEIC and HEIF, as telephones make them: read where the extra `heif` is installed, else refused by name."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final

from PIL import ImageFile

from worker.contract.errors import RowError

_DECODER: Final = Path(__file__).with_name("heif_decoder.py")

#: Seconds that a picture may take: one of 100 megapixels takes a few.
_LONGEST: Final = 120


def opened(file: IO[bytes]) -> ImageFile.ImageFile:
    """Open the main picture of a HEIF file by its header; the decoder turns it upright itself.

    Nothing is registered with Pillow, whose list of formats is the whole process's.

    Raises:
        RowError: the extra is not installed.
        SyntaxError: the file is broken.

    """
    if find_spec("pi_heif") is None:
        raise RowError("is HEIC (pip install 'bulk-image-editor[heif]')")
    return _HeifImage(file)


class _HeifImage(ImageFile.ImageFile):
    """A picture that another process decodes: once for its header, and once more for its pixels."""

    format = "HEIF"
    _data = b""

    def _open(self) -> None:
        if self.fp is None:  # never so: it has just been given
            raise SyntaxError("no file")
        self._data = self.fp.read()
        facts, _ = _asked("header", self._data)
        self._size, self._mode = (facts["size"][0], facts["size"][1]), facts["mode"]
        if facts["icc"]:
            self.info["icc_profile"] = bytes.fromhex(facts["icc"])
        self.tile = []

    def load(self) -> Any:
        if self._data:
            facts, pixels = _asked("pixels", self._data)
            if (*facts["size"], facts["mode"]) != (*self.size, self.mode):
                raise SyntaxError("HEIC: its header is wrong")
            self._data = b""
            self.load_prepare()
            self.frombytes(pixels)
        return super().load()


def _asked(question: str, data: bytes) -> tuple[dict[str, Any], bytes]:
    """Ask the decoder for a file's header, or for its pixels as well."""
    command = [sys.executable, "-P", str(_DECODER), question]  # -P: its folder holds modules of this project
    try:
        done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=_LONGEST)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise SyntaxError(f"HEIC: takes more than {_LONGEST} s") from None
    if done.returncode < 0:
        raise SyntaxError(f"HEIC: its decoder ended with signal {-done.returncode}")
    if done.returncode > 0:
        raise SyntaxError(f"HEIC: {done.stderr.decode(errors='replace').strip().rpartition(chr(10))[2]}")
    line, _, pixels = done.stdout.partition(b"\n")
    return json.loads(line), pixels
