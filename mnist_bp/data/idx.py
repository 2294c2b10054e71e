"""IDX files, the format that MNIST came in: four bytes of magic number, the sizes, then bytes in C order.

Reading believes nothing: magic number, sizes, length and label range are checked, each before anything is allocated
for it, and an error names the file, the field, what was expected and what was found.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from mnist_bp.errors import InputError

__all__ = ["read_images", "read_labels", "write"]

MAGIC = {1: 0x00000801, 3: 0x00000803}
"""Two zero bytes, 08 for unsigned bytes, and the number of dimensions: labels have one, images three."""

GZIP_MAGIC = b"\x1f\x8b"
DEFLATE_LIMIT = 1032
"""No deflate stream is longer than this many times its compressed bytes."""

CHUNK = 1 << 20


def read_images(path: Path) -> NDArray[np.uint8]:
    """Images, (n, rows, columns), from an IDX file, plain (then memory-mapped) or gzip."""
    images = _read(path, rank=3, what="images")
    if 0 in images.shape:
        raise InputError(f"{path}: its sizes are {images.shape}; expected images, rows and columns of 1 or more")
    return images


def read_labels(path: Path, *, classes: int) -> NDArray[np.uint8]:
    """Labels from 0 to ``classes`` − 1, (n,), from an IDX file, plain or gzip."""
    labels = _read(path, rank=1, what="labels")
    if labels.size and labels.max() >= classes:
        where = int(np.argmax(labels >= classes))
        raise InputError(f"{path}: label {labels[where]} of example {where}; expected labels from 0 to {classes - 1}")
    return labels


def write(file: BinaryIO, array: NDArray[np.uint8]) -> None:
    """Write bytes of rank 1 (labels) or 3 (images) as IDX."""
    file.write(struct.pack(f">{1 + array.ndim}I", MAGIC[array.ndim], *array.shape))
    file.write(np.ascontiguousarray(array).data)


def _read(path: Path, *, rank: int, what: str) -> NDArray[np.uint8]:
    try:
        with path.open("rb") as file:
            is_gzip = file.read(2) == GZIP_MAGIC
        return _read_gzip(path, rank, what) if is_gzip else _map_plain(path, rank, what)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: the gzip stream is damaged ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _map_plain(path: Path, rank: int, what: str) -> NDArray[np.uint8]:
    length = path.stat().st_size
    with path.open("rb") as file:
        shape = _shape(file.read(4 + 4 * rank), path, rank, what)
    _require_length(path, shape, rank, length)
    if not math.prod(shape):
        return np.zeros(shape, np.uint8)
    return np.memmap(path, np.uint8, mode="r", offset=4 + 4 * rank, shape=shape)


def _read_gzip(path: Path, rank: int, what: str) -> NDArray[np.uint8]:
    with gzip.open(path) as file:
        shape = _shape(file.read(4 + 4 * rank), path, rank, what)
        size = math.prod(shape)
        if size > path.stat().st_size * DEFLATE_LIMIT:
            _require_length(path, shape, rank, path.stat().st_size * DEFLATE_LIMIT)
        content = bytearray()
        # One byte more than there should be, so that trailing bytes show; reading to the end also checks the CRC.
        while len(content) <= size and (chunk := file.read(min(CHUNK, size + 1 - len(content)))):
            content += chunk
        _require_length(path, shape, rank, 4 + 4 * rank + len(content))
    return np.frombuffer(content, np.uint8).reshape(shape)


def _shape(header: bytes, path: Path, rank: int, what: str) -> tuple[int, ...]:
    if len(header) < 4 + 4 * rank:
        raise InputError(f"{path}: {len(header)} bytes of header; an IDX file of {what} has {4 + 4 * rank}")
    magic, *shape = struct.unpack(f">{1 + rank}I", header)
    if magic != MAGIC[rank]:
        raise InputError(f"{path}: magic number {magic:#010x}{_guess(header)}; {what} have {MAGIC[rank]:#010x}")
    return tuple(shape)


def _guess(header: bytes) -> str:
    """What a file with another magic number may be, for the error's reader."""
    if header[:4] == MAGIC[1].to_bytes(4):
        return " (that of labels)"
    if header[:4] == MAGIC[3].to_bytes(4):
        return " (that of images)"
    return " (a web page?)" if header.lstrip()[:1] == b"<" else ""


def _require_length(path: Path, shape: tuple[int, ...], rank: int, length: int) -> None:
    expected = 4 + 4 * rank + math.prod(shape)
    if length != expected:
        sizes = " × ".join(f"{size:,}" for size in shape)
        few_or_many = "only " if length < expected else "at least "
        raise InputError(f"{path}: {few_or_many}{length:,} bytes; its header says {sizes}, which makes {expected:,}")
