"""Reader and writer of IDX files, MNIST's format: a magic number of four bytes, the sizes, then bytes in C order.

The reader trusts nothing. It checks the magic number, sizes, length and label range, each before it allocates memory
for it. An error names the file, the field, the expected value and the value found.
"""

import codecs
import gzip
import math
import os
import struct
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mnist_bp.data.zip_member import DAMAGED, Stored, open_stored
from mnist_bp.errors import InputError

__all__ = ["header_of", "read_images", "read_labels", "write"]

MAGIC = {1: b"\0\0\x08\x01", 3: b"\0\0\x08\x03"}
"""Magic numbers by number of dimensions, 1 for labels and 3 for images: two zero bytes, 08 for unsigned bytes, and the
number of dimensions."""

GZIP_MAGIC = b"\x1f\x8b"
DEFLATE_LIMIT = 1032
"""Largest possible ratio of a deflate stream's size to its compressed size."""

READ_BYTES = 1 << 20


def read_images(path: Stored, *, mapped: bool = False) -> NDArray[np.uint8]:
    """Read images, (n, rows, columns), from an IDX file, plain, gzip, or in a zip archive.

    If ``mapped``, a plain file is mapped into memory. Use it only for files that are never rewritten in place: if a
    mapped file is truncated, the system terminates every process that reads the lost part (bus error).
    """
    return _read(path, rank=3, what="images", mapped=mapped)


def read_labels(path: Stored, *, classes: int) -> NDArray[np.uint8]:
    """Read labels from 0 to ``classes`` − 1, (n,), from an IDX file, plain, gzip, or in a zip archive."""
    labels = _read(path, rank=1, what="labels")
    if labels.max() >= classes:
        where = int(np.argmax(labels >= classes))
        expected = f"expected labels from 0 to {classes - 1} (--classes)"
        raise InputError(f"{path}: label {labels[where]} of example {where}; {expected}")
    return labels


def write(file: BinaryIO, array: NDArray[np.uint8]) -> None:
    """Write a uint8 array with 1 (labels) or 3 (images) dimensions as IDX."""
    file.write(header_of(array))
    file.write(np.ascontiguousarray(array).data)


def header_of(array: NDArray[np.uint8]) -> bytes:
    """Return the header of an array's IDX file."""
    return MAGIC[array.ndim] + struct.pack(f">{array.ndim}I", *array.shape)


def _read(path: Stored, *, rank: int, what: str, mapped: bool = False) -> NDArray[np.uint8]:
    try:
        with open_stored(path) as (file, length, on_disk):
            is_gzip = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
            file.seek(0)
            if is_gzip:
                with gzip.GzipFile(fileobj=file) as stream:
                    return _read_stream(stream, on_disk * DEFLATE_LIMIT, path, rank, what)
            if isinstance(path, Path):
                return _read_plain(file, length, path, rank, what, mapped=mapped)
            return _read_stream(file, length, path, rank, what)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (gzip.BadGzipFile, *DAMAGED) as error:
        container = "gzip stream" if path.name.endswith(".gz") or isinstance(path, Path) else "zip archive"
        raise InputError(f"{path}: the {container} is damaged ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read_plain(file: IO[bytes], length: int, path: Path, rank: int, what: str, *, mapped: bool) -> NDArray[np.uint8]:
    before = os.fstat(file.fileno())
    shape = _shape(file.read(_header_length(rank)), path, rank, what)
    if length != _file_length(shape):
        raise _wrong_length(path, shape, f"{length:,}")
    if mapped:
        view = np.memmap(file, np.uint8, mode="r", offset=_header_length(rank), shape=shape)
        return view.view(np.ndarray)  # the same memory, without numpy.memmap's overhead for each indexing
    array = np.fromfile(file, np.uint8, count=math.prod(shape))
    after = os.fstat(file.fileno())
    if array.size != math.prod(shape) or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise InputError(f"{path}: changed while it was read; run the command again when it is complete")
    return array.reshape(shape)


def _read_stream(
    stream: IO[bytes] | gzip.GzipFile, limit: int, path: Stored, rank: int, what: str
) -> NDArray[np.uint8]:
    """Read a stream of at most ``limit`` bytes, whatever size its header states."""
    shape = _shape(stream.read(_header_length(rank)), path, rank, what)
    size = math.prod(shape)
    if size > limit:
        raise _wrong_length(path, shape, f"at most {limit:,}")
    content = bytearray()
    # Request one byte more than expected, to detect trailing bytes. Reading to the end also checks the CRC.
    while len(content) <= size and (chunk := stream.read(min(READ_BYTES, size + 1 - len(content)))):
        content += chunk
    if len(content) != size:
        at_least = "at least " if len(content) > size else ""
        raise _wrong_length(path, shape, f"{at_least}{_header_length(rank) + len(content):,}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _shape(header: bytes, path: Stored, rank: int, what: str) -> tuple[int, ...]:
    """Return the sizes in a header. Raise InputError if it is not the header of an IDX file of ``what``."""
    magic = header[:4]
    if len(magic) == 4 and magic != MAGIC[rank]:
        raise InputError(
            f"{path}: magic number 0x{magic.hex()}{_guess(header)}; expected 0x{MAGIC[rank].hex()} ({what})"
        )
    if len(header) < _header_length(rank):
        raise InputError(f"{path}: only {len(header)} bytes; the header of {what} has {_header_length(rank)}")
    shape = struct.unpack(f">{rank}I", header[4:])
    if 0 in shape:
        raise InputError(f"{path}: its header says {_times(shape)}; expected sizes of 1 or more")
    return shape


def _guess(header: bytes) -> str:
    """Return a description of what a file with another magic number may be, for the error message."""
    if header[:4] == MAGIC[1]:
        return " (that of labels)"
    if header[:4] == MAGIC[3]:
        return " (that of images)"
    text = " ".join(header.removeprefix(codecs.BOM_UTF8).decode("latin-1").split())
    if not text.isascii() or not text.isprintable():
        return ""
    return f" ({'a web page' if text.startswith('<') else 'text'}: {text!r})"


def _header_length(rank: int) -> int:
    return 4 + 4 * rank


def _file_length(shape: tuple[int, ...]) -> int:
    return _header_length(len(shape)) + math.prod(shape)


def _wrong_length(path: Stored, shape: tuple[int, ...], found: str) -> InputError:
    return InputError(f"{path}: {found} bytes; its header says {_times(shape)}, which makes {_file_length(shape):,}")


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{size:,}" for size in shape)
