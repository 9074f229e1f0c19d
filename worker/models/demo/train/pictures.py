"""Pictures made from random numbers, with what photographs have: occluding things, textures, gradients, 1/f noise."""

from math import cos, pi, sin, sqrt
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

#: (height, width, 3), 0 to 255.
Pixels = NDArray[np.floating]

#: (height, width), 0 to 1.
Blend = NDArray[np.float64]

#: Strokes as of writing come from Pillow's own font.
_LETTERS: Final = "ABCDEFGHKLMNPRSTUXYabdefghkmnrsty0123456789&?!"


def picture(draw: Generator, width: int, height: int) -> Image.Image:
    """Make a picture: things of all sizes before one another (dead leaves), each with a surface of its own."""
    surfaces = [_surface(draw, width, height) for _ in range(draw.integers(2, 6))]
    image = Image.fromarray(_to_bytes(surfaces[0]))
    side = sqrt(width * height)
    largest, smallest = draw.uniform(0.15, 0.6) * side, draw.uniform(0.01, 0.05) * side
    for size in sorted(_sizes(draw, largest, smallest, int(draw.integers(0, 80))), reverse=bool(draw.random() < 0.7)):
        _lay(image, draw, surfaces[draw.integers(len(surfaces))], size)
    for _ in range(draw.integers(0, 5) if draw.random() < 0.4 else 0):
        _write(image, draw)
    if draw.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(draw.uniform(0.3, 1.0)))
    return image


def _sizes(draw: Generator, largest: float, smallest: float, count: int) -> list[float]:
    # At a power of -2 things of every size cover the same area together, as in photographs; at 0 large ones cover all.
    power = draw.uniform(-2, -0.2)
    least, most = smallest**power, largest**power
    return [float((least + u * (most - least)) ** (1 / power)) for u in draw.random(count)]


def _lay(image: Image.Image, draw: Generator, surface: Pixels, size: float) -> None:
    """Put a thing with a soft edge onto the picture, its surface a shade of one of the picture's."""
    width, height = image.size
    x, y = draw.uniform(0, width), draw.uniform(0, height)
    left, top = int(x - size) - 1, int(y - size) - 1
    extent = 2 * int(size) + 4
    mask = Image.new("L", (2 * extent, 2 * extent))
    _outline(ImageDraw.Draw(mask), draw, (2 * (x - left), 2 * (y - top)), 2 * size)
    mask = mask.resize((extent, extent), Image.Resampling.BOX)
    if draw.random() < 0.55:
        fill: Image.Image = Image.new("RGB", mask.size, tuple(int(level) for level in colour(draw)))
    else:
        shade = draw.uniform(0.5, 1.4) * surface + draw.uniform(-60, 60, 3)
        fill = Image.fromarray(_to_bytes(_patch(draw, shade, extent)))
    if draw.random() < 0.3:  # lit from one side
        light = np.linspace(draw.uniform(0.4, 1), draw.uniform(1, 1.5), extent, dtype=np.float32)
        lit = np.asarray(fill, np.float32) * (light[:, None, None] if draw.random() < 0.5 else light[None, :, None])
        fill = Image.fromarray(_to_bytes(lit))
    image.paste(fill, (left, top), mask)


def _outline(canvas: ImageDraw.ImageDraw, draw: Generator, centre: tuple[float, float], radius: float) -> None:
    x, y = centre
    kind = draw.integers(4)
    if kind == 0:
        across, up = radius, radius * draw.uniform(0.4, 1)
        canvas.ellipse((x - across, y - up, x + across, y + up), fill=255)
    elif kind == 1:
        across, up = radius * draw.uniform(0.2, 0.8), radius * draw.uniform(0.2, 0.8)
        canvas.rectangle((x - across, y - up, x + across, y + up), fill=255)
    else:  # a polygon, or a stroke
        corners = int(draw.integers(3, 9))
        turns = np.sort(draw.uniform(0, 2 * pi, corners))
        reach = radius * draw.uniform(0.4, 1, corners)
        points = [(x + r * cos(t), y + r * sin(t)) for r, t in zip(reach, turns, strict=True)]
        if kind == 2:
            canvas.polygon(points, fill=255)
        else:
            canvas.line(points, fill=255, width=max(1, int(radius * draw.uniform(0.03, 0.3))), joint="curve")


def _write(image: Image.Image, draw: Generator) -> None:
    text = "".join(draw.choice(list(_LETTERS), int(draw.integers(1, 9))))
    font = ImageFont.load_default(size=float(draw.uniform(8, 0.25 * image.height)))
    place = draw.uniform(-0.1, 0.8) * image.width, draw.uniform(-0.1, 0.9) * image.height
    ImageDraw.Draw(image).text(place, text, fill=tuple(int(level) for level in colour(draw)), font=font)


def colour(draw: Generator) -> NDArray[np.float64]:
    """Return a colour, 0 to 255 each: photographs have more dull ones than bright ones."""
    grey = 255 * draw.beta(0.9, 0.9)
    mixed: NDArray[np.float64] = grey + draw.normal(0, 1, 3) * draw.choice([8, 30, 90])
    return mixed.clip(0, 255)


def _surface(draw: Generator, width: int, height: int) -> Pixels:
    kind = draw.random()
    one, other = colour(draw), colour(draw)
    if kind < 0.25:
        blend = _gradient(draw, width, height)
    elif kind < 0.4:
        blend = _stripes(draw, width, height)
    else:
        return _noise(draw, width, height)
    mixed = one + (other - one) * blend[..., None]
    return (mixed + draw.normal(0, draw.choice([0.5, 4]), mixed.shape)).astype(np.float32)


def _gradient(draw: Generator, width: int, height: int) -> Blend:
    turn = draw.uniform(0, 2 * pi)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    if draw.random() < 0.3:
        blend: Blend = np.hypot(x - draw.uniform(-1, 1), y - draw.uniform(-1, 1)) / 2
    else:
        blend = (x * cos(turn) + y * sin(turn)) / 2 + 0.5
    return blend.clip(0, 1)


def _stripes(draw: Generator, width: int, height: int) -> Blend:
    turn, period = draw.uniform(0, pi), draw.uniform(4, 60)
    y, x = np.mgrid[0:height, 0:width]
    wave: Blend = np.sin(2 * pi * (x * cos(turn) + y * sin(turn)) / period)
    if draw.random() < 0.4:
        wave *= np.sin(2 * pi * (y * cos(turn) - x * sin(turn)) / period)
    sharp: Blend = np.tanh(4 * wave) if draw.random() < 0.5 else wave
    return 0.5 + 0.5 * sharp


def _noise(draw: Generator, width: int, height: int) -> Pixels:
    """Make noise of a spectrum 1/f^a, as photographs have; mostly lighter and darker, less often of other hues."""
    slope = draw.uniform(0.9, 1.8)
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    falloff = 1 / np.maximum(np.hypot(rows, columns * draw.uniform(0.6, 1.6)), 1 / max(width, height)) ** slope
    channels = []
    for _ in range(3):
        spectrum = np.fft.rfft2(draw.standard_normal((height, width), dtype=np.float32)) * falloff
        noise = np.fft.irfft2(spectrum, (height, width))
        channels.append(noise / noise.std())
    light, warm, tint = channels
    reach = draw.uniform(10, 65)
    strength = reach * draw.uniform(0, 0.5)
    hue = strength * (warm[..., None] * draw.normal(0, 1, 3) + 0.5 * tint[..., None] * draw.normal(0, 1, 3))
    made: Pixels = colour(draw) + reach * light[..., None] + hue
    return made.astype(np.float32)


def _patch(draw: Generator, surface: Pixels, extent: int) -> Pixels:
    height, width = surface.shape[:2]
    top, left = draw.integers(height), draw.integers(width)
    rows, columns = (np.arange(top, top + extent) % height), (np.arange(left, left + extent) % width)
    patch: Pixels = surface[rows[:, None], columns[None, :]]
    return patch


def _to_bytes(pixels: NDArray[np.floating]) -> NDArray[np.uint8]:
    return pixels.clip(0, 255).astype(np.uint8)
