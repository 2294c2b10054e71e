"""Format of model files and checkpoints: an .npz file with arrays and a JSON string ``meta``.

Plain ``numpy.load`` opens it, and it contains no pickles. A file may come from an untrusted source, so the names, types
and sizes of its members are checked before any member is read. The file ends in a SHA-256 checksum of everything before
it, stored as the comment of the .zip archive, so that a flipped bit anywhere is detected.
"""

import hashlib
import io
import json
import math
import warnings
import zipfile
from collections.abc import Collection, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.errors import InputError
from mnist_bp.storage.atomic import atomic_write
from mnist_bp.storage.regular_file import read_whole

__all__ = ["Archive", "read", "sealed", "write"]

SEAL = b"sha256:"
DIGITS = 64
"""Number of hexadecimal digits of a SHA-256 checksum."""

FIRST_FORMAT = 1
"""Version of the first files, which have no checksum."""

META = "meta"
META_LIMIT = 1 << 24
"""Largest size of ``meta`` in bytes: 4 for each character. A checkpoint lists figures of each layer."""

LIMIT = 1 << 34
"""Largest size of a file in bytes, 16 GiB, which few machines can train."""

_HEADER_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Archive(NamedTuple):
    """Content of a file."""

    arrays: dict[str, Array]
    meta: dict[str, Any]


def write(path: str | PathLike[str], arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
    """Write arrays and ``meta``, which must contain ``format``, atomically.

    Arrays are written in C order. Readers outside numpy often ignore the order that a .npy header states, and would
    read an array in Fortran order, such as W, transposed.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    buffer = io.BytesIO()
    members: dict[str, Any] = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    members[META] = np.array(json.dumps(meta))
    np.savez(buffer, **members)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = SEAL + bytes(DIGITS)
    with atomic_write(Path(path)) as file:
        file.writelines(sealed(buffer.getvalue()))


def sealed(content: bytes) -> tuple[memoryview, bytes]:
    """Return the two parts of a file: ``content`` without its last 64 bytes, and the checksum that replaces them.

    The first part is a view, because a network may be large. It must be a view of bytes, not of a BytesIO's buffer:
    when the traceback of a failed write held a view of the buffer, garbage collection crashed Python 3.12.
    """
    body = memoryview(content)[:-DIGITS]
    return body, _sum(body)


def read(path: str | PathLike[str], what: str, formats: Collection[int]) -> Archive:
    """Read a file in one of these formats. ``what`` names its kind in error messages, such as "model file".

    Raises
    ------
    InputError
        If the file is missing, has another format, or has changed since it was written.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # numpy warns about headers that Python 2 may have written
            return _parse(read_whole(Path(path), LIMIT), formats)
    except FileNotFoundError:
        raise InputError(f"there is no {what} {path}") from None
    except OSError as error:
        raise InputError(f"cannot read the {what} {path}: {error.strerror or error}") from error
    # The exceptions of zipfile, numpy and json for damaged bytes are undocumented, so any of them is handled here.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"{path} is not a {what} that mnist-bp wrote: {reason}") from error


def _parse(data: bytes, formats: Collection[int]) -> Archive:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = _members(archive, len(data))
        if META not in members:
            raise InputError("it has no meta")
        meta = _parse_meta(_read_array(archive, members.pop(META), META_LIMIT))
        if meta["format"] not in formats:
            known = " and ".join(map(str, formats))
            raise InputError(f"it has format {meta['format']}; this version of mnist-bp reads {known}")
        if meta["format"] != FIRST_FORMAT:
            _check_seal(archive.comment, data)
        arrays = {name: _read_array(archive, info, len(data)) for name, info in members.items()}
    return Archive(arrays, meta)


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """Return the members by array name. Their total size is at most that of the file, even if they overlap."""
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    for name, info in members.items():
        if not name.isidentifier() or info.filename == name:
            raise InputError(f"it contains {info.filename!r}, which is not an array of mnist-bp")
        if info.compress_type != zipfile.ZIP_STORED:
            raise InputError(f"{name} is compressed")
    if len(members) != len(archive.infolist()):
        raise InputError("it contains two arrays with the same name")
    if sum(info.file_size for info in members.values()) > size:
        raise InputError("its arrays claim more bytes than the file has")
    return members


def _check_seal(comment: bytes, data: bytes) -> None:
    if comment != SEAL + _sum(memoryview(data)[:-DIGITS]):
        raise InputError("checksum mismatch: the file is damaged")


def _sum(content: memoryview) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _parse_meta(text: Array) -> dict[str, Any]:
    if text.dtype.kind != "U" or text.ndim != 0:
        raise InputError("its meta is not a string")
    meta = json.loads(str(text))
    if not isinstance(meta, dict) or type(meta.get("format")) is not int:
        raise InputError("its meta has no format number")
    return meta


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> Array:
    """Return one member as a read-only array. No pickle is loaded, and at most ``limit`` bytes are allocated."""
    name = info.filename.removesuffix(".npy")
    if info.file_size > limit:
        raise InputError(f"{name} claims {info.file_size:,} bytes; expected at most {limit:,}")
    content = archive.read(info)
    stream = io.BytesIO(content)
    header = _HEADER_READERS[np.lib.format.read_magic(stream)]
    shape, is_fortran, dtype = header(stream)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != info.file_size - stream.tell():
        raise InputError(f"{name} does not have the size that its header states")
    flat = np.frombuffer(content, dtype, offset=stream.tell())
    return flat.reshape(shape, order="F" if is_fortran else "C")
