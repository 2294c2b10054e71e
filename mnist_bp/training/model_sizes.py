"""Layer sizes of a model file, from the headers of its arrays: without numpy, and without reading the arrays."""

import re
import zipfile
import zlib
from pathlib import Path

from mnist_bp.storage.regular_file import open_regular

__all__ = ["read_sizes"]

HEADER = 256
"""Number of bytes at the beginning of an array that hold its shape."""

SHAPE = re.compile(rb"'shape': \((\d{1,9}), (\d{1,9})\)")


def read_sizes(model: Path, layers: int) -> tuple[int, ...] | None:
    """Return the sizes of all layers, inputs first, or None if the file does not have ``layers`` weight matrices."""
    try:
        with open_regular(model) as file, zipfile.ZipFile(file) as archive:
            shapes = [_shape(archive, f"W{layer}.npy") for layer in range(1, layers + 1)]
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, RuntimeError):
        return None
    if None in shapes:
        return None
    sizes = [shape for shape in shapes if shape is not None]
    return (sizes[0][1], *(outputs for outputs, _ in sizes))


def _shape(archive: zipfile.ZipFile, name: str) -> tuple[int, int] | None:
    """Return the shape of a matrix in an archive, (n_l, n_(l−1))."""
    with archive.open(name) as file:
        found = SHAPE.search(file.read(HEADER))
    return (int(found[1]), int(found[2])) if found else None
