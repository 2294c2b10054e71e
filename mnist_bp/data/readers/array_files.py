"""Datasets in numpy's .npz and .npy files: Keras' mnist.npz (x_train, y_train, x_test, y_test), and pairs of files.

KMNIST and K49 are published as four .npz files with one array each (arr_0). No pickle is loaded. Arrays are read and
converted in pieces, so that images of 8 bytes a pixel take no more memory than others.
"""

import math
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mnist_bp.data.idx import DEFLATE_LIMIT
from mnist_bp.data.names import SplitName
from mnist_bp.data.readers.source import Arrays, LabelledSet, Source
from mnist_bp.data.readers.spelling import Part, spelled
from mnist_bp.data.tree import Folder, archive_folder
from mnist_bp.data.zip_member import DAMAGED, Stored, open_stored
from mnist_bp.errors import InputError

__all__ = ["find"]

Parts = dict[tuple[SplitName, Part], Stored]

TRAIN: tuple[tuple[SplitName, Part], ...] = (("train", "images"), ("train", "labels"))
TEST: tuple[tuple[SplitName, Part], ...] = (("test", "images"), ("test", "labels"))

PIECE = 1 << 15
"""Number of values to convert at a time."""

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def find(folder: Folder) -> Iterator[Source | InputError]:
    """Yield the datasets in a folder."""
    try:
        groups = _groups(folder)
    except InputError as error:
        yield error
        return
    for prefix, parts in groups.items():
        if all(part in parts for part in TRAIN):
            has_test = all(part in parts for part in TEST)
            chosen = [parts[part] for part in (*TRAIN, *TEST[: 2 * has_test])]
            test = _labelled_set(*chosen[2:]) if has_test else None
            yield Source(_labelled_set(*chosen[:2]), test, chosen, prefix, "no x_test and y_test")
        else:
            held = " and ".join(sorted(f"{part} of the {split} set" for split, part in parts))
            yield InputError(
                f"{folder.path} has only {held}; expected arrays, or files, x_train, y_train, x_test, y_test"
            )


def _groups(folder: Folder) -> dict[str, Parts]:
    """Return the arrays in the files of a folder, by the prefix of the file's name."""
    groups: dict[str, Parts] = {}
    for name, stored in folder.files.items():
        for called, array in _arrays(name, stored).items():
            split, part, _ = spelled(called)
            if split and part:
                groups.setdefault(spelled(name).prefix, {}).setdefault((split, part), array)
    return groups


def _arrays(name: str, stored: Stored) -> Mapping[str, Stored]:
    """Return the arrays in a file, by the name that says what they are: that of the file if it has only one."""
    if name.endswith(".npz"):
        if not isinstance(stored, Path):
            raise InputError(f"{stored} is an archive in an archive: unzip {stored.archive}")
        arrays = archive_folder(stored).files
        return {name: next(iter(arrays.values()))} if len(arrays) == 1 else arrays
    return {name: stored} if name.endswith(".npy") else {}


def _labelled_set(images: Stored, labels: Stored) -> LabelledSet:
    return LabelledSet(str(images), str(labels), lambda: Arrays(_read_images(images), _read_labels(labels)))


def _read_images(file: Stored) -> NDArray[np.uint8]:
    array = _read(file, np.uint8, "grey levels from 0 to 255 as whole numbers")
    if array.ndim == 4 and 1 in {array.shape[1], array.shape[3]}:
        array = array.squeeze(1 if array.shape[1] == 1 else 3)
    if array.ndim == 2 and (side := math.isqrt(array.shape[1])) ** 2 == array.shape[1]:
        array = array.reshape(-1, side, side)
    if array.ndim != 3 or 0 in array.shape:
        raise InputError(f"{file}: images of shape {array.shape}; expected (examples, rows, columns) in shades of grey")
    return array


def _read_labels(file: Stored) -> NDArray[np.int64]:
    array = _read(file, np.int64, "labels as whole numbers")
    if array.shape[1:] not in {(), (1,)}:
        raise InputError(
            f"{file}: labels of shape {array.shape}; expected (examples,); numpy.argmax converts one-hot rows"
        )
    return array.reshape(-1)


def _read(file: Stored, dtype: type, expected: str) -> NDArray[Any]:
    """Read an array in pieces, and convert it exactly. Raise InputError if it is damaged, or ``dtype`` does not fit."""
    try:
        with open_stored(file) as (stream, length, on_disk), warnings.catch_warnings(action="ignore"):
            shape, is_fortran, stored = _header(stream)
            total = math.prod(shape)
            if length - stream.tell() != total * stored.itemsize or length > on_disk * DEFLATE_LIMIT:
                raise InputError(f"{file} has {length:,} bytes, which does not fit its shape {shape} of {stored.name}")
            flat: NDArray[Any] = np.empty(total, dtype)
            for start in range(0, total, PIECE):
                piece = np.frombuffer(stream.read(min(PIECE, total - start) * stored.itemsize), stored)
                converted = flat[start : start + PIECE]
                converted[:] = piece
                if (wrong := np.flatnonzero(converted != piece)).size:
                    raise InputError(f"{file}: {piece[wrong[0]]:g}; expected {expected}{_advice(piece)}")
            stream.read(1)  # the end of a file in an archive, where its checksum is compared
    except FileNotFoundError:
        raise InputError(f"{file}: no such file") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror or error})") from error
    except DAMAGED as error:
        raise InputError(f"{file}: the archive is damaged ({error})") from error
    return np.ascontiguousarray(flat.reshape(shape[::-1]).T) if is_fortran else flat.reshape(shape)


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and type of an array. Raise InputError if they are invalid, or not those of numbers."""
    try:
        shape, is_fortran, dtype = HEADERS[np.lib.format.read_magic(stream)](stream)
    except (OSError, MemoryError, *DAMAGED):
        raise
    # The exceptions of numpy for damaged headers are undocumented, so any of them is handled here.
    except Exception as error:
        reason = str(error).partition("\n")[0][:80]
        raise InputError(f"{stream.name} is not an array of numpy ({reason})") from error
    if dtype.kind not in "biuf":
        raise InputError(f"{stream.name} holds {dtype}, not numbers; write it with numpy.savez and numbers only")
    return shape, is_fortran, dtype


def _advice(piece: NDArray[Any]) -> str:
    return ": multiply grey levels from 0 to 1 by 255, and round them" if 0 <= piece.min() <= piece.max() <= 1 else ""
