"""Reader and writer of IDX files, MNIST's format: a magic number of four bytes, the sizes, then bytes in C order.

The reader trusts nothing. It checks the magic number, sizes and length, each before it allocates memory for it. An
error names the file, the field, the expected value and the value found.
"""

import codecs
import gzip
import hashlib
import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.data.zip_member import DAMAGED, Stored, open_stored
from mnist_bp.errors import InputError

__all__ = ["digest", "header_of", "read_images", "read_labels", "write"]

MAGIC = {1: b"\0\0\x08\x01", 3: b"\0\0\x08\x03"}
"""Magic numbers by number of dimensions, 1 for labels and 3 for images: two zero bytes, 08 for unsigned bytes, and the
number of dimensions."""

QMNIST_MAGIC = b"\0\0\x0c\x02"
"""Magic number of QMNIST's labels: 0C for 32-bit integers, in 2 dimensions. The first of 8 columns is the label."""


class Kind(NamedTuple):
    """Content of a file: a word for it, and the type of its numbers by magic number, the usual one first."""

    what: str
    types: Mapping[bytes, str]


IMAGES = Kind("images", {MAGIC[3]: "u1"})
LABELS = Kind("labels", {MAGIC[1]: "u1", QMNIST_MAGIC: ">i4"})


class Layout(NamedTuple):
    """Layout of a file according to its header."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    header: int

    @property
    def length(self) -> int:
        """Length of the whole file in bytes."""
        return self.header + math.prod(self.shape) * self.dtype.itemsize


GZIP_MAGIC = b"\x1f\x8b"
DEFLATE_LIMIT = 1032
"""Largest possible ratio of a deflate stream's size to its compressed size."""

READ_BYTES = 1 << 20


def read_images(path: Stored, *, mapped: bool = False) -> NDArray[np.uint8]:
    """Read images, (n, rows, columns), from an IDX file, plain, gzip, or in a zip archive.

    If ``mapped``, a plain file is mapped into memory. Use it only for files that are never rewritten in place: if a
    mapped file is truncated, the system terminates every process that reads the lost part (bus error).
    """
    return _read(path, IMAGES, mapped=mapped)


def read_labels(path: Stored) -> NDArray[np.integer]:
    """Read labels, (n,), from an IDX file, plain, gzip, or in a zip archive. QMNIST's labels are 32-bit integers."""
    labels = _read(path, LABELS)
    return labels if labels.ndim == 1 else labels[:, 0]


def write(file: BinaryIO, array: NDArray[np.uint8]) -> None:
    """Write a uint8 array with 1 (labels) or 3 (images) dimensions as IDX."""
    file.write(header_of(array))
    file.write(np.ascontiguousarray(array).data)


def digest(array: NDArray[np.uint8]) -> str:
    """Return the SHA-256 of an array's IDX file."""
    content = hashlib.sha256(header_of(array))
    content.update(np.ascontiguousarray(array).data)
    return content.hexdigest()


def header_of(array: NDArray[np.uint8]) -> bytes:
    """Return the header of an array's IDX file."""
    return MAGIC[array.ndim] + struct.pack(f">{array.ndim}I", *array.shape)


def _read(path: Stored, kind: Kind, *, mapped: bool = False) -> NDArray[Any]:
    try:
        with open_stored(path) as (file, length, on_disk):
            is_gzip = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
            file.seek(0)
            if is_gzip:
                with gzip.GzipFile(fileobj=file) as stream:
                    return _read_stream(stream, on_disk * DEFLATE_LIMIT, path, kind)
            if isinstance(path, Path):
                return _read_plain(file, length, path, kind, mapped=mapped)
            return _read_stream(file, length, path, kind)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (gzip.BadGzipFile, *DAMAGED) as error:
        container = "gzip stream" if path.name.endswith(".gz") or isinstance(path, Path) else "zip archive"
        raise InputError(f"{path}: the {container} is damaged ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read_plain(file: IO[bytes], length: int, path: Path, kind: Kind, *, mapped: bool) -> NDArray[Any]:
    before = os.fstat(file.fileno())
    layout = _layout(file, path, kind)
    if length != layout.length:
        raise _wrong_length(path, layout, f"{length:,}")
    if mapped:
        view = np.memmap(file, layout.dtype, mode="r", offset=layout.header, shape=layout.shape)
        return view.view(np.ndarray)  # the same memory, without numpy.memmap's overhead for each indexing
    array = np.fromfile(file, layout.dtype, count=math.prod(layout.shape))
    after = os.fstat(file.fileno())
    is_changed = (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
    if array.size != math.prod(layout.shape) or is_changed:
        raise InputError(f"{path}: changed while it was read; run the command again when it is complete")
    return array.reshape(layout.shape)


def _read_stream(stream: IO[bytes] | gzip.GzipFile, limit: int, path: Stored, kind: Kind) -> NDArray[Any]:
    """Read a stream of at most ``limit`` bytes, whatever size its header states."""
    layout = _layout(stream, path, kind)
    size = layout.length - layout.header
    if size > limit:
        raise _wrong_length(path, layout, f"at most {limit:,}")
    content = bytearray()
    # Request one byte more than expected, to detect trailing bytes. Reading to the end also checks the CRC.
    while len(content) <= size and (chunk := stream.read(min(READ_BYTES, size + 1 - len(content)))):
        content += chunk
    if len(content) != size:
        at_least = "at least " if len(content) > size else ""
        raise _wrong_length(path, layout, f"{at_least}{layout.header + len(content):,}")
    return np.frombuffer(content, layout.dtype).reshape(layout.shape)


def _layout(stream: IO[bytes] | gzip.GzipFile, path: Stored, kind: Kind) -> Layout:
    """Read the header of a file. Raise InputError if it is not that of an IDX file of this kind."""
    usual, *_ = kind.types
    header = stream.read(_header_length(usual))
    magic = header[:4]
    if len(magic) == 4 and magic not in kind.types:
        raise InputError(
            f"{path}: magic number 0x{magic.hex()}{_guess(header)}; expected 0x{usual.hex()} ({kind.what})"
        )
    length = _header_length(magic if magic in kind.types else usual)
    header += stream.read(length - len(header))
    if len(header) < length:
        raise InputError(f"{path}: only {len(header)} bytes; the header of {kind.what} has {length}")
    shape = struct.unpack(f">{length // 4 - 1}I", header[4:])
    if 0 in shape:
        raise InputError(f"{path}: its header says {_times(shape)}; expected sizes of 1 or more")
    return Layout(shape, np.dtype(kind.types[magic]), length)


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


def _header_length(magic: bytes) -> int:
    """Return the length of a header: the magic number, whose last byte is the number of dimensions, and the sizes."""
    return 4 + 4 * magic[3]


def _wrong_length(path: Stored, layout: Layout, found: str) -> InputError:
    return InputError(f"{path}: {found} bytes; its header says {_times(layout.shape)}, which makes {layout.length:,}")


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{size:,}" for size in shape)
