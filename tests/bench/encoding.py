"""Seconds and bytes of encoding an edited picture: `python -m tests.bench.encoding`."""

import platform
import statistics
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import PIL
from PIL import Image, features

from tests.support.pictures import PHOTOS
from worker.contract.buckets import KONTEXT_BUCKETS, plan_fit
from worker.pictures.fitting import fit

WAYS: dict[str, dict[str, Any]] = {
    **{f"png level {level}": {"format": "PNG", "compress_level": level} for level in range(10)},
    "webp quality 95": {"format": "WEBP", "quality": 95},
    "jpg quality 95": {"format": "JPEG", "quality": 95, "subsampling": "4:4:4"},
}


def pictures() -> Iterator[Image.Image]:
    """Yield the example photographs at the size at which Kontext edits them: about one megapixel."""
    for path in sorted(PHOTOS.glob("*.jpg")):
        with Image.open(path) as image:
            photo = image.convert("RGB")
        yield fit(photo, plan_fit(*photo.size, KONTEXT_BUCKETS, "bucket"))


def encode(picture: Image.Image, options: dict[str, Any]) -> tuple[float, int]:
    """Return the milliseconds and the bytes of one encoding."""
    buffer = BytesIO()
    begun = time.perf_counter()
    picture.save(buffer, **options)
    return 1000 * (time.perf_counter() - begun), buffer.tell()


def main(rounds: int = 5) -> None:
    """Measure every way on every picture, the ways in turn, so that a busy moment strikes all of them alike."""
    photos = list(pictures())
    seen: dict[str, list[tuple[float, int]]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for photo in photos:
            for name, options in WAYS.items():
                seen[name].append(encode(photo, options))
    zlib = "zlib-ng" if features.check_feature("zlib_ng") else "zlib"
    print(f"{platform.machine()}, Pillow {PIL.__version__} with {zlib}, {len(photos)} photographs, {rounds} rounds\n")
    print("| way | ms (median) | ms (spread) | MB (mean) |\n|---|---|---|---|")
    for name, found in seen.items():
        times = [milliseconds for milliseconds, _ in found]
        size = statistics.mean(size for _, size in found) / 1e6
        print(f"| {name} | {statistics.median(times):.0f} | {min(times):.0f}-{max(times):.0f} | {size:.2f} |")


if __name__ == "__main__":
    main()
