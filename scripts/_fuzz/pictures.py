"""Hostile images, for ``predict`` and ``explain --image``."""

import io
import zlib
from random import Random

from PIL import ExifTags, Image

from _fuzz.mutations import LIMITS, mutated_bytes

__all__ = ["SHAPE", "hostile_image"]

SHAPE = (28, 28)
"""Rows and columns of the network's inputs."""

SHAPES = [SHAPE] * 6 + [(1, 1), (28, 27), (1, 784), (60, 40), (2, 3000), (300, 400)]
"""Rows and columns of the images."""

KINDS = [("PNG", mode) for mode in ("L", "RGB", "P", "1", "LA", "RGBA", "I;16")] + [
    ("JPEG", "L"), ("JPEG", "RGB"), ("GIF", "P"), ("BMP", "L"), ("BMP", "RGB"), ("PPM", "L"), ("PPM", "1"),
]  # fmt: skip

REFUSED = ["TIFF", "ICO", "EPS", "PCX", "TGA", "SGI"]
"""Formats that are not supported."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BOMB = 4_000_000
"""Size in bytes to which a few thousand compressed bytes expand."""


def hostile_image(random: Random) -> bytes:
    """Return an image with changed bytes, a PNG with changed chunks and right checksums, or sometimes a valid image."""
    what = random.randrange(10)
    if what == 0:
        return _saved(random.choice(REFUSED), "L", SHAPE, random)
    kind, mode = random.choice(KINDS)
    content = _saved(kind, mode, random.choice(SHAPES), random)
    if kind == "PNG" and what < 8:
        return _with_other_chunks(content, random)
    return mutated_bytes(content, random) if what > 2 else content


def _saved(kind: str, mode: str, shape: tuple[int, int], random: Random) -> bytes:
    rows, columns = shape
    image = Image.new(mode, (columns, rows))
    for _ in range(50):
        image.putpixel((random.randrange(columns), random.randrange(rows)), _colour(mode, random))
    room = io.BytesIO()
    image.save(room, kind, **({"exif": _turned(random)} if kind in {"PNG", "JPEG"} else {}))
    return room.getvalue()


def _turned(random: Random) -> Image.Exif:
    """Return Exif metadata with a random orientation."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = random.randrange(10)
    return exif


def _colour(mode: str, random: Random) -> int | tuple[int, ...]:
    bands = {"RGB": 3, "RGBA": 4, "LA": 2}.get(mode)
    return random.randrange(256) if bands is None else tuple(random.randrange(256) for _ in range(bands))


def _with_other_chunks(content: bytes, random: Random) -> bytes:
    """Return a PNG file with a chunk changed, repeated, moved, removed or inserted."""
    chunks = _chunks(content)
    place = random.randrange(len(chunks))
    name, data = chunks[place]
    what = random.randrange(7)
    if what == 0:
        chunks[place:place] = [chunks[place]] * random.choice([1, 100])
    elif what == 1:
        chunks.append(chunks.pop(place))
    elif what == 2:
        del chunks[place]
    elif what == 3:
        chunks.insert(1, random.choice(_bombs()))
    elif what == 4 and name == b"IHDR":
        chunks[place] = (name, random.choice(LIMITS[:9]).to_bytes(4, "big") + data[4:])
    elif what == 5:
        chunks[place] = (b"IDAT", zlib.compress(bytes(random.choice([0, 10, BOMB]))))
    else:
        chunks[place] = (random.choice([name, name, b"tRNS", b"PLTE", b"acTL", b"eXIf"]), mutated_bytes(data, random))
    return SIGNATURE + b"".join(
        len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big") for name, data in chunks
    )


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    chunks, place = [], len(SIGNATURE)
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += 12 + length
    return chunks


def _bombs() -> list[tuple[bytes, bytes]]:
    packed = zlib.compress(bytes(BOMB))
    return [(b"zTXt", b"x\0\0" + packed), (b"iCCP", b"x\0\0" + packed), (b"iTXt", b"x\0\1\0\0\0" + packed)]
