"""What a gallery of many rows costs: to make, to make again, to open in Chromium, to search, and to scroll through.

`python -m tests.bench.gallery [--rows N]`: crops of five photographs, in a folder that goes at the end.
"""

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
from PIL import Image
from selenium.webdriver import Chrome

from producer.gallery.gallery import Gallery
from tests.support.browser import require_chromium, running_browser, url
from tests.support.cli import row as edit
from tests.support.galleries import run_of
from tests.support.pictures import PHOTOS

#: Different inputs; sizes of input and result as users have them, and such as their small pictures have: to make
#: a page of these is quicker, and to the browser it is the same.
_INPUTS: Final = 1000
_LARGE: Final = ((1600, 1200), (1184, 880))
_SMALL: Final = ((768, 576), (512, 384))

#: Rows with large pictures.
_LARGE_ROWS: Final = 100

_ROUNDS: Final = 5

#: Scrolls a screen at a time for so many frames; returns the milliseconds between frames.
_SCROLL: Final = """
const done = arguments[0], gaps = [];
let last = performance.now(), frame = 0;
const step = (now) => {
  gaps.push(now - last); last = now;
  window.scrollBy(0, arguments_per_frame);
  if (++frame < 200) requestAnimationFrame(step); else done(gaps.slice(1));
};
requestAnimationFrame(step);
"""


@click.command()
@click.option("--rows", default=10_000, show_default=True, help="Rows of the run.")
def main(rows: int) -> None:
    """Measure the gallery of a run of so many rows."""
    require_chromium()
    with TemporaryDirectory(prefix="gallery-") as here:
        _made(_run(Path(here), _LARGE_ROWS, _LARGE), _LARGE_ROWS, _LARGE)
    with TemporaryDirectory(prefix="gallery-") as here:
        folder = _run(Path(here), rows, _SMALL)
        _made(folder, rows, _SMALL)
        with running_browser() as browser:
            _measure(browser, folder, rows)


def _made(folder: Path, rows: int, sizes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    took = []
    for _ in range(2):
        begun = time.monotonic()
        Gallery(folder, most=rows).make()
        took.append(time.monotonic() - begun)
    small = [path.stat().st_size for path in (folder / "gallery/small").rglob("*.jpg")]
    print(
        f"{rows} rows, inputs of {sizes[0]}, results of {sizes[1]}: made in {took[0]:.1f} s, again in {took[1]:.1f} s;"
    )
    print(f"{len(small)} small pictures, {sum(small) / 1e6:.0f} MB")


def _run(here: Path, rows: int, sizes: tuple[tuple[int, int], tuple[int, int]]) -> Path:
    photos = [Image.open(path).convert("RGB") for path in sorted(PHOTOS.glob("*.jpg"))]
    for number in range(min(rows, _INPUTS)):
        photo = photos[number % len(photos)]
        box = (number % 50, number // 50, photo.width - 50 + number % 50, photo.height - 20 + number // 50)
        photo.resize(sizes[0], box=box).save(here / f"{number}.jpg", quality=85)
    source = here / "result.png"
    photos[0].resize(sizes[1]).save(source)
    for number in range(rows):
        result = here / f"run/sample_{number}/sample_{number}_0.png"
        result.parent.mkdir(parents=True)
        result.hardlink_to(source)
    lines = [edit(f"{number % _INPUTS}.jpg", f"Edit number {number} of a photograph.") for number in range(rows)]
    return run_of(here, lines)


def _measure(browser: Chrome, folder: Path, rows: int) -> None:
    browser.set_script_timeout(120)
    opened = [_opened(browser, folder, rows) for _ in range(_ROUNDS)]
    for name, values in zip(("first cards", "all rows"), zip(*opened, strict=True), strict=True):
        print(f"open until {name}: median {median(values):.0f} ms, {min(values):.0f} to {max(values):.0f}")
    found = [_searched(browser, word) for word in ("9", "number 77", "no such word")]
    print(f"search: {', '.join(f'{took:.0f}' for took in found)} ms")
    for name, pixels in (("a tenth of a screen", 90), ("a screen", 900)):
        browser.execute_script("window.scrollTo(0, 0)")
        gaps = sorted(browser.execute_async_script(_SCROLL.replace("arguments_per_frame", str(pixels))))
        late = sum(gap > 50 for gap in gaps)
        print(
            f"scroll {name} per frame: median {median(gaps):.1f} ms, 95 % {gaps[int(0.95 * len(gaps))]:.1f},"
            f" most {gaps[-1]:.1f}, {late} of {len(gaps)} over 50 ms"
        )


def _opened(browser: Chrome, folder: Path, rows: int) -> tuple[Any, Any]:
    """Return the milliseconds from the navigation's start to the first cards, and to all rows in the list."""
    browser.get("about:blank")
    browser.get(url(folder / "gallery/index.html"))
    return tuple(
        browser.execute_async_script(
            "const done = arguments[1], wanted = arguments[0];"
            "const look = () => list.length === wanted"
            " ? done([performance.getEntriesByName('rows-shown')[0].startTime, performance.now()])"
            " : requestAnimationFrame(look); look();",
            rows,
        )
    )


def _searched(browser: Chrome, words: str) -> Any:
    """Return the milliseconds that a search takes, cards and all."""
    return browser.execute_script(
        "const wanted = {kind: 'all', text: arguments[0], key: 'row', descending: false, marked: marks};"
        "const begun = performance.now(); list.show(query.select(gallery.all(), wanted));"
        "document.body.offsetHeight; return performance.now() - begun;",
        words,
    )


if __name__ == "__main__":
    main()
