"""model.npz: the parameters of a network under the names of the lesson, W1, b1, …, WL, bL, and a JSON string ``meta``.

Plain ``numpy.load`` opens it; nothing in it is a pickle. A file that is read may come from anywhere: its members, their
types and their sizes are checked against what ``meta`` says before any of them is read.
"""

import io
import json
import math
import zipfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, get_args

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.layers import array_shapes
from mnist_bp.core.names import DtypeName
from mnist_bp.core.network import Network
from mnist_bp.errors import InputError
from mnist_bp.files import atomic_write

__all__ = ["FORMAT", "load", "save"]

FORMAT = 1
"""Version of the file's layout, in ``meta["format"]``."""

META_LIMIT = 1 << 20
"""Bytes that ``meta`` may take: far more than any that we write."""

_HEADER_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def save(path: str | PathLike[str], network: Network, meta: Mapping[str, Any]) -> None:
    """Write ``network`` to ``path``, whole or not at all; ``meta`` is kept beside what describes the network.

    Raises
    ------
    InputError
        If the network is complex, which is for checking only.
    OSError
        If the disk does not take the file.
    """
    if network.dtype.name not in get_args(DtypeName):
        raise InputError(f"a model file holds {' or '.join(get_args(DtypeName))}, not {network.dtype.name}")
    described = {
        **meta,
        "format": FORMAT,
        "sizes": network.sizes,
        "activation": network.activation,
        "cost": network.cost,
        "output_activation": network.output_activation,
        "dtype": network.dtype.name,
    }
    arrays: dict[str, Any] = {**network.named_arrays(), "meta": np.array(json.dumps(described))}
    with atomic_write(Path(path)) as file:
        np.savez(file, **arrays)


def load(path: str | PathLike[str]) -> tuple[Network, dict[str, Any]]:
    """Read the network at ``path`` and its ``meta``.

    Raises
    ------
    InputError
        If the file is missing, is not a model file, or does not agree with itself.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive, Path(path).stat().st_size)
    except FileNotFoundError:
        raise InputError(f"there is no model file {path}") from None
    except OSError as error:
        raise InputError(f"cannot read the model file {path}: {error.strerror or error}") from error
    # What zipfile, numpy and json raise on damaged bytes is not documented: all of it means the same here.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"{path} is not a model file that mnist-bp wrote (model.npz): {reason}") from error


def _read(archive: zipfile.ZipFile, size: int) -> tuple[Network, dict[str, Any]]:
    """The network and the meta of an archive of ``size`` bytes."""
    meta = _parsed_meta(_read_array(archive, "meta", min(size, META_LIMIT)))
    shapes = array_shapes(meta["sizes"])
    if set(archive.namelist()) != {f"{name}.npy" for name in [*shapes, "meta"]}:
        raise InputError(f"it should hold {', '.join(shapes)} and meta, and nothing else")
    arrays = {name: _read_array(archive, name, size) for name in shapes}
    for name, shape in shapes.items():
        if arrays[name].shape != shape or arrays[name].dtype != meta["dtype"]:
            found = f"{arrays[name].dtype} {arrays[name].shape}"
            raise InputError(f"{name} is {found}; its sizes {meta['sizes']} need {meta['dtype']} {shape}")
        if not np.isfinite(arrays[name]).all():
            raise InputError(f"{name} holds numbers that are not finite")
    network = Network(
        meta["sizes"],
        activation=meta["activation"],
        cost=meta["cost"],
        output_activation=meta["output_activation"],
        rng=np.random.default_rng(0),  # what it draws is overwritten below
        dtype=meta["dtype"],
    )
    for name, parameter in network.named_arrays().items():
        parameter[...] = arrays[name]
    return network, meta


def _parsed_meta(text: Array) -> dict[str, Any]:
    """The meta object, its sizes and its dtype known to be of the right kind."""
    if text.dtype.kind != "U" or text.ndim != 0:
        raise InputError("its meta is not a string")
    meta = json.loads(str(text))
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise InputError(f"its meta does not say format {FORMAT}, the one that this version reads")
    sizes = meta.get("sizes")
    if not isinstance(sizes, list) or len(sizes) < 2 or not all(type(size) is int and size > 0 for size in sizes):
        raise InputError(f"its sizes are {sizes!r}; expected a list of whole numbers")
    if meta.get("dtype") not in get_args(DtypeName):
        raise InputError(f"its dtype is {meta.get('dtype')!r}; expected one of {', '.join(get_args(DtypeName))}")
    return meta


def _read_array(archive: zipfile.ZipFile, name: str, limit: int) -> Array:
    """One member, without pickle; nothing is allocated that is larger than ``limit`` bytes."""
    info = archive.getinfo(f"{name}.npy")
    if info.file_size > limit:
        raise InputError(f"{name} claims {info.file_size:,} bytes, more than the file has")
    stream = io.BytesIO(archive.read(info))
    header = _HEADER_READERS[np.lib.format.read_magic(stream)]
    shape, is_fortran, dtype = header(stream)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != info.file_size - stream.tell():
        raise InputError(f"{name} does not hold what its header says")
    flat = np.frombuffer(stream.getbuffer(), dtype, offset=stream.tell())
    return flat.reshape(shape, order="F" if is_fortran else "C")
