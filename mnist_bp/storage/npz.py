"""Arrays and a JSON string ``meta`` in one .npz file: what model files and checkpoints are.

Plain ``numpy.load`` opens it; nothing in it is a pickle. A file that is read may come from anywhere, so nothing is
believed: its members, their types and their sizes are checked before any of them is read. The file ends in the SHA-256
sum of all that stands before it (where .zip files have room for a comment), so that a flipped bit anywhere is noticed.
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

__all__ = ["Archive", "read", "sealed", "write"]

SEAL = b"sha256:"
DIGITS = 64
"""Of a SHA-256 sum, hexadecimal."""

FIRST_FORMAT = 1
"""The version of the files that had no seal yet."""

META = "meta"
META_LIMIT = 1 << 20
"""Bytes that ``meta`` may take: far more than any that we write."""

_HEADER_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Archive(NamedTuple):
    """The content of a file."""

    arrays: dict[str, Array]
    meta: dict[str, Any]


def write(path: str | PathLike[str], arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
    """Write arrays and ``meta``, which has to name its ``format``, whole or not at all.

    Raises
    ------
    OSError
        If the disk does not take the file.
    """
    room = io.BytesIO()
    members: dict[str, Any] = {**arrays, META: np.array(json.dumps(meta))}
    np.savez(room, **members)
    with zipfile.ZipFile(room, "a") as archive:
        archive.comment = SEAL + bytes(DIGITS)
    with atomic_write(Path(path)) as file:
        file.writelines(sealed(room.getvalue()))


def sealed(content: bytes) -> tuple[memoryview, bytes]:
    """Return the two parts of a file: ``content`` without its last 64 bytes, and the SHA-256 sum that replaces them.

    The first part is a view, because a network may be large. A view of bytes may outlive anything; one of a BytesIO's
    buffer may not: where the traceback of a failed write kept it, collecting it crashed Python 3.12.
    """
    body = memoryview(content)[:-DIGITS]
    return body, _sum(body)


def read(path: str | PathLike[str], what: str, formats: Collection[int]) -> Archive:
    """Read such a file, of one of these formats; ``what`` says in messages what it should be: "model file".

    Raises
    ------
    InputError
        If the file is missing, is something else, or was changed since it was written.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # numpy's, of headers that Python 2 may have written
            return _parse(Path(path).read_bytes(), formats)
    except FileNotFoundError:
        raise InputError(f"there is no {what} {path}") from None
    except OSError as error:
        raise InputError(f"cannot read the {what} {path}: {error.strerror or error}") from error
    # What zipfile, numpy and json raise on damaged bytes is not documented: all of it means the same here.
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
    """What the file holds, by the arrays' names. Together they are no larger than the file, even if they overlap."""
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    for name, info in members.items():
        if not name.isidentifier() or info.filename == name:
            raise InputError(f"it holds {info.filename!r}, which is no array of ours")
        if info.compress_type != zipfile.ZIP_STORED:
            raise InputError(f"{name} is compressed")
    if len(members) != len(archive.infolist()):
        raise InputError("it holds two arrays of one name")
    if sum(info.file_size for info in members.values()) > size:
        raise InputError("its arrays claim more bytes than the file has")
    return members


def _check_seal(comment: bytes, data: bytes) -> None:
    if comment != SEAL + _sum(memoryview(data)[:-DIGITS]):
        raise InputError("its SHA-256 sum is not the one that it was written with: it is damaged")


def _sum(content: memoryview) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _parse_meta(text: Array) -> dict[str, Any]:
    if text.dtype.kind != "U" or text.ndim != 0:
        raise InputError("its meta is not a string")
    meta = json.loads(str(text))
    if not isinstance(meta, dict) or type(meta.get("format")) is not int:
        raise InputError("its meta does not say which format it has")
    return meta


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> Array:
    """One member, without pickle, read-only; nothing is allocated that is larger than ``limit`` bytes."""
    name = info.filename.removesuffix(".npy")
    if info.file_size > limit:
        raise InputError(f"{name} claims {info.file_size:,} bytes, of at most {limit:,}")
    content = archive.read(info)
    stream = io.BytesIO(content)
    header = _HEADER_READERS[np.lib.format.read_magic(stream)]
    shape, is_fortran, dtype = header(stream)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != info.file_size - stream.tell():
        raise InputError(f"{name} does not hold what its header says")
    flat = np.frombuffer(content, dtype, offset=stream.tell())
    return flat.reshape(shape, order="F" if is_fortran else "C")
