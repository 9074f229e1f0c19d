"""Image files for the tests of what reads them."""

from io import BytesIO
from pathlib import Path

from PIL import Image

from worker.pictures.decoding import read


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Encode a picture."""
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def read_bytes(folder: Path, data: bytes) -> Image.Image:
    """Read a picture that consists of these bytes."""
    (folder / "picture").write_bytes(data)
    return read(folder / "picture").image


def photo(width: int, height: int) -> Image.Image:
    """Paint a smooth picture that differs from place to place."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (across, down, Image.radial_gradient("L").resize((width, height))))


def farthest(one: Image.Image, other: Image.Image) -> int:
    """Return by how much the two pictures differ where they differ most, of 255."""
    assert (one.mode, one.size) == (other.mode, other.size)
    return max(abs(a - b) for a, b in zip(one.tobytes(), other.tobytes(), strict=True))
