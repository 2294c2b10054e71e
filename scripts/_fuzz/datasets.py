"""Hostile datasets in tables, arrays and pictures, plain or in a zip archive, for ``--data-dir``."""

import io
import zipfile
from functools import cache
from random import Random

import numpy as np
from PIL import Image

from _fuzz.mutations import LIMITS, mutated_bytes

__all__ = ["hostile_npz", "hostile_pictures", "hostile_table", "hostile_zip"]

EXAMPLES = 6
CLASSES = 3

FIELDS = [
    "", "-1", "256", "1e3", "1e999", "nan", "inf", "0.5", "0x1", "x", '"1"', '"', "'", "\0", "\ufeff", " 7 ", "1;2",
    "٣", "9" * 400, "-0", "1_0", "#", "\u2028", "True",
]  # fmt: skip
"""Fields of a table that are no grey levels, or are written in an unusual way."""


def hostile_table(random: Random) -> bytes:
    """Return a CSV file with other fields, lines or bytes, or sometimes a valid one."""
    side = random.choice([1, 2, 3, 5])
    lines = [_row(side * side, random) for _ in range(random.choice([0, 1, EXAMPLES]))]
    if random.random() < 0.6:
        lines.insert(0, ["label", *(f"{1 + i // side}x{1 + i % side}" for i in range(side * side))])
    for _ in range(random.choice([0, 0, 1, 2])):
        if lines:
            line = random.choice(lines)
            place = random.randrange(len(line)) if line else 0
            what = random.randrange(4)
            line[place : place + (what < 2)] = [[random.choice(FIELDS)], [], ["0"], ["0"] * random.choice([1, 2000])][
                what
            ]
    delimiter = random.choice([",", ",", ",", ";", "\t", " "])
    text = random.choice(["\n", "\n", "\r\n", "\r"]).join(delimiter.join(line) for line in lines)
    content = text.encode("utf-8")
    return mutated_bytes(content, random) if random.random() < 0.3 else content


def _row(pixels: int, random: Random) -> list[str]:
    return [str(random.randrange(CLASSES)), *(str(random.randrange(256)) for _ in range(pixels))]


@cache
def _arrays() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        f"{part}_{split}": random.integers(256 if part == "x" else CLASSES, size=shape, dtype=np.uint8)
        for split in ("train", "test")
        for part, shape in (("x", (EXAMPLES, 4, 3)), ("y", (EXAMPLES,)))
    }


TYPES = ["u1", "i1", "<f4", ">f8", "<i8", ">u2", "?", "<c8", "<U3", "<f2", "M8[s]", "V3", "O"]


def hostile_npz(random: Random) -> bytes:
    """Return a .npz file with arrays of other types, shapes and names, other headers, or other bytes."""
    members = {}
    for name, array in _arrays().items():
        changed = array
        if random.random() < 0.25:
            with np.errstate(all="ignore"):
                changed = array.astype(random.choice(TYPES[:10]))
        if random.random() < 0.1:
            changed = random.choice(
                [changed[None], changed.ravel(), changed.T, changed[:0], changed[..., None], changed[1:]]
            )
        stream = io.BytesIO()
        np.lib.format.write_array(stream, changed, allow_pickle=False)
        content = stream.getvalue()
        if random.random() < 0.15:
            content = _other_header(content, random)
        members[name if random.random() < 0.97 else random.choice(["x", "", "../y", "x_test", "arr_0"])] = content
    return _archive({f"{name}.npy": content for name, content in members.items()}, random)


def _other_header(content: bytes, random: Random) -> bytes:
    """Return an array with another type, shape or version in its header, or with other bytes."""
    for old, new in (
        (b"|u1", random.choice(TYPES).encode()),
        (b"(6", f"({random.choice(LIMITS)}".encode()),
        (b"False", random.choice([b"True", b"None"])),
    ):
        if random.random() < 0.4:
            content = content.replace(old, new)
    return mutated_bytes(content, random) if random.random() < 0.4 else content


def hostile_pictures(random: Random) -> bytes:
    """Return a zip archive with pictures in folders of classes, some of which are something else."""
    members = {}
    for split in ("train", "test"):
        for number in range(random.choice([1, EXAMPLES])):
            content = _png((4, 3) if random.random() < 0.98 else (3, 4), random)
            if random.random() < 0.05:
                content = mutated_bytes(content, random)
            ending = random.choice([".png"] * 60 + [".jpg", ".txt", "", ".png/x.png"])
            members[f"{split}/{random.randrange(CLASSES)}/{number}{ending}"] = content
    if random.random() < 0.2:
        members[
            random.choice(["train/notes.txt", "/train/0/a.png", "../x.png", "a/b/" * 50 + "c.png", "train", "\0", ".x"])
        ] = b"x"
    return _archive(members, random)


def _png(shape: tuple[int, int], random: Random) -> bytes:
    room = io.BytesIO()
    Image.frombytes("L", (shape[1], shape[0]), random.randbytes(shape[0] * shape[1])).save(room, "PNG")
    return room.getvalue()


def hostile_zip(random: Random) -> bytes:
    """Return a zip archive with tables."""
    return _archive({f"{split}.csv": hostile_table(random) for split in ("train", "test")}, random)


def _archive(members: dict[str, bytes], random: Random) -> bytes:
    """Return a zip archive, sometimes compressed, and sometimes with other bytes."""
    room = io.BytesIO()
    how = random.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    with zipfile.ZipFile(room, "w") as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content, how)  # without the time of day
    return mutated_bytes(room.getvalue(), random) if random.random() < 0.2 else room.getvalue()
