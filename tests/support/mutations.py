"""Broken image files and broken jsonl lines, made from whole ones by chance that is the same every time."""

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from random import Random
from typing import Any

from PIL import ExifTags, Image, ImageCms, features

from tests.support.pictures import PHOTOS

SIDE = 24


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _interlaced(image: Image.Image) -> bytes:
    """Write an RGB picture as an interlaced PNG: first x and y of each of the seven passes of Adam7, and its steps."""
    passes = (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
    pixels, (width, height), rows = image.tobytes(), image.size, []
    for left, top, across, down in passes:
        for y in range(top, height, down):
            starts = (3 * (y * width + x) for x in range(left, width, across))
            rows.append(b"\0" + b"".join(pixels[at : at + 3] for at in starts))
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1))
    return _PNG + header + _chunk(b"IDAT", zlib.compress(b"".join(rows))) + _chunk(b"IEND", b"")


_PNG = b"\x89PNG\r\n\x1a\n"


def seed_images() -> list[bytes]:
    """Encode a small photograph in every format that is read, and in the kinds that decoders treat differently."""
    with Image.open(PHOTOS / "coffee.jpg") as image:
        rgb = image.convert("RGB").resize((SIDE, SIDE))
    rgba, grey = rgb.copy(), rgb.convert("L")
    rgba.putalpha(grey)
    deep = Image.frombytes("I;16", grey.size, b"".join(struct.pack("<H", 257 * shade) for shade in grey.tobytes()))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Artist] = 6, "somebody"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    more = {"save_all": True, "append_images": [rgb.rotate(90), rgb.rotate(180)], "duration": 40}
    return [
        *(_encoded(picture, "PNG") for picture in (rgb, rgba, grey, deep, rgb.convert("1"))),
        _encoded(rgb.quantize(16), "PNG", transparency=3),
        _encoded(rgb, "PNG", icc_profile=profile, exif=exif),
        _encoded(rgb, "PNG", **more),
        _interlaced(rgb),
        _encoded(rgb, "JPEG", exif=exif, icc_profile=profile),
        _encoded(rgb, "JPEG", progressive=True, exif=exif),
        _encoded(rgb.convert("CMYK"), "JPEG", exif=exif, icc_profile=profile),
        _encoded(rgb, "WEBP", exif=exif),
        _encoded(rgba, "WEBP", lossless=True, icc_profile=profile),
        _encoded(rgb, "WEBP", **more),
        _encoded(rgb.quantize(16), "GIF"),
        _encoded(rgb, "GIF", **more),
        *(_encoded(rgb, "TIFF", compression=kind) for kind in ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg")),
        _encoded(rgb.convert("1"), "TIFF", compression="group4"),
        _encoded(deep, "TIFF"),
        *(_encoded(picture, "BMP") for picture in (rgb, rgb.quantize(16), rgba)),
        *(_encoded(picture, "PPM") for picture in (rgb, grey)),
        *(_encoded(rgb, "AVIF", **options) for options in ({}, more) if features.check("avif")),
        *(_encoded(rgb, "JPEG2000", no_jp2=bare) for bare in (False, True) if features.check("jpg_2000")),
    ]


def mutated(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Return other bytes than these: damaged once or a few times, a PNG half the time with checksums that fit."""
    found = data
    while found == data:
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            found = random.choice(_WAYS)(found, random.choice(others), random)
        if found.startswith(_PNG) and random.random() < 0.5:
            found = _with_checksums(found)
    return found


def _flip_bits(data: bytes, _: bytes, random: Random) -> bytes:
    found = bytearray(data)
    for _ in range(random.randint(1, 8) if data else 0):
        found[random.randrange(len(found))] ^= 1 << random.randrange(8)
    return bytes(found)


def _overwrite(data: bytes, _: bytes, random: Random) -> bytes:
    at, length = _place(data, random), random.randint(1, 32)
    return data[:at] + random.choice((random.randbytes(length), bytes(length), b"\xff" * length)) + data[at + length :]


def _truncate(data: bytes, _: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _splice(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: _place(data, random)] + other[_place(other, random) :]


def _enlarge(data: bytes, _: bytes, random: Random) -> bytes:
    """Write a great number where a length, a width or an offset may be."""
    at, field = (
        _place(data, random),
        random.choice((b"\xff" * 4, b"\xff" * 2, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f")),
    )
    return data[:at] + field + data[at + len(field) :]


def _shrink(data: bytes, _: bytes, random: Random) -> bytes:
    at = _place(data, random)
    return data[:at] + data[at + random.randint(1, 16) :]


def _double(data: bytes, _: bytes, random: Random) -> bytes:
    """Repeat a piece, most often of the header."""
    begin = random.choice((0, _place(data, random)))
    end = begin + random.randint(1, 64)
    return data[:end] + data[begin:]


_WAYS: list[Callable[[bytes, bytes, Random], bytes]] = [
    _flip_bits, _overwrite, _truncate, _splice, _enlarge, _shrink, _double,
]  # fmt: skip


def _place(data: bytes, random: Random) -> int:
    """Choose a place, more often near the beginning, where headers are."""
    return int(len(data) * random.random() ** 2)


def _with_checksums(data: bytes) -> bytes:
    """Make the checksums of a PNG fit its chunks, as far as these can be followed, so that decoders read on."""
    found, at = bytearray(data), len(_PNG)
    while at + 12 <= len(found):
        end = at + 8 + int.from_bytes(found[at : at + 4], "big")
        if end + 4 > len(found):
            break
        found[end : end + 4] = struct.pack(">I", zlib.crc32(found[at + 4 : end]))
        at = end + 4
    return bytes(found)


def _turn(content: Any, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": content}


_IMAGE = {"images": "whole.png"}
_PLAIN = _IMAGE | {"conversations": [_turn("Make it red.")]}

#: Rows in every shape that is accepted.
_ROWS: list[dict[str, Any]] = [
    _PLAIN, _PLAIN | {"images": ["whole.png", "whole.jpg"]}, _PLAIN | {"images": ["./whole.jpg"], "id": "x/1"},
    _IMAGE | {"conversations": [_turn("Be kind.", "system"), _turn("Now?"), _turn("Yes.", "assistant"), _turn("On.")]},
    _IMAGE | {"conversations": "Make it red."}, _IMAGE | {"conversations": ["Make it red.", "Now blue."]},
    _IMAGE | {"conversations": [{"content": "Make it red."}]}, _IMAGE | {"conversations": [_turn(["Red.", "All."])]},
    _IMAGE | {"conversations": [_turn([{"type": "image"}, {"type": "text", "text": "Make it red."}])]},
    _PLAIN | {"edit": {"seed": 7, "steps": 2, "guidance": 2.5, "num_images": 2}},
    _PLAIN | {"edit": {"negative_prompt": "blur", "true_cfg_scale": 2.0}},
    _PLAIN | {"edit": {"size": "96x64", "seed": None}}, _PLAIN | {"edit": None, "source": None},
    _PLAIN | {"meta": {"tags": [["a", {"b": [1, 2, {"c": None}]}], True, -0.5], "ключ": "значение"}},
    _PLAIN | {"raw": "mine", "error": "mine, too"}, _PLAIN | {"note": "a long one, " * 80},
    _PLAIN | {"output_image": ["there.png"]}, _PLAIN | {"output_image": [], "error": "of the last run"},
]  # fmt: skip
SEED_LINES: list[bytes] = [
    *(json.dumps(fields).encode() for fields in _ROWS),
    rb'{"images": "whole.png", "conversations": ["\ud83d\ude00 \u00e9 \/ \t"], "half": "\ud83d", "\u0000": "\ude00"}',
    '{ "images" :\t"whole.png" , "conversations":["Rot 😀."],"e":1E5,"z":-0.0, "f":0.10000000000000001}'.encode(),
    b'{"id": 123456789012345678901234567890, "conversations": ["Make it red."], "images": "whole.png", "x": 1e400}',
]

_COLUMNS = ("images", "conversations", "edit", "output_image", "error", "raw", "role", "content", "size", "seed", "new")

#: Values as they are written: of every type, and what parsers, file systems and terminals stumble over.
_VALUES: list[bytes] = [
    *b"null true false 0 -1 7 64 1.5 -0.0 1e400 -1E999 NaN Infinity 01 .5 '' [] {} [[]] [{}] \"\"".split(),
    *b'"x" ["x"] {"a":1} "whole.png" ["whole.png"] "no.png" "." "/" "/dev/zero" "pipe" "64x64" "0x0" "1x9"'.split(),
    *rb'"\u0000" "\ud800" "a\udc00b" "\u202e" "\n" "a\nb.png" "http://x/y.png" "\x" "~/../.." "b" {"":""}'.split(),
    b"9" * 25, b"9" * 400, b"9" * 5_000, b"9" * 100_000, b'"' + b"a" * 5_000 + b'"', b'"' + b"b/" * 50_000 + b'"',
    b'" "', b'"\0"', b'"\xff\xfe"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'\xef\xbb\xbf""', b'"\xef\xbb\xbf"', b"",
    *(b"[" * depth + b"]" * depth for depth in (10, 300, 900, 970, 5_000, 50_000)),
    *(b'{"a":' * depth + b"1" + b"}" * depth for depth in (10, 300, 970, 20_000)),
]  # fmt: skip


def mutated_line(line: bytes, random: Random) -> bytes:
    """Return another line than this one, of one or more bytes that are no blanks, without a line feed."""
    found = line
    while found == line or not found.strip(b" \t\r\v\f\xef\xbb\xbf"):
        damage = random.choice((_change_value, _change_value, _double_key, _damage_bytes))
        found = damage(line, random).replace(b"\n", b"")
    return found


def _damage_bytes(line: bytes, random: Random) -> bytes:
    return mutated(line, SEED_LINES, random)


def _change_value(line: bytes, random: Random) -> bytes:
    """Put another value, or another key with its value, in the place of one of the row's."""
    fields = json.loads(line)
    holder, key = random.choice(list(_places(fields)))
    if isinstance(holder, dict) and random.random() < 0.2:
        holder[random.choice(_COLUMNS)] = holder.pop(key)
    else:
        holder[key] = _MARK
    return json.dumps(fields).encode().replace(json.dumps(_MARK).encode(), random.choice(_VALUES))


_MARK = "the value that gives way"


def _double_key(line: bytes, random: Random) -> bytes:
    """Write a key once more, at the row's beginning or at its end."""
    key = json.dumps(random.choice([*json.loads(line), *_COLUMNS])).encode()
    member = key + b": " + random.choice(_VALUES)
    return random.choice((b"{" + member + b", " + line.lstrip(b"{"), line[:-1] + b", " + member + b"}"))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Iterate over every place in a value where another can be put: what holds it, and under which key."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in pairs:
        yield value, key
        yield from _places(held)
