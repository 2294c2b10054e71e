"""Model files (model.npz): a network's parameters as W1, b1, …, WL, bL, and a JSON string ``meta``.

Before a network is created, ``meta`` is compared with the arrays in the file. Its keys are declared in ``metadata``.
"""

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np

from mnist_bp import __version__
from mnist_bp.core.choices import DTYPES
from mnist_bp.core.inputs import Functions, checked_functions
from mnist_bp.core.parameters import ParameterVector, array_shapes
from mnist_bp.errors import InputError
from mnist_bp.storage import npz
from mnist_bp.storage.metadata import Metadata, check

__all__ = ["FORMAT", "load", "save"]

FORMAT = 2
"""Version of the file's layout, in ``meta["format"]``. Version 1 had no checksum at its end."""

READABLE = (1, FORMAT)

CREATED_BY = "mnist-bp"
"""Value of ``created_by``, unless the metadata that is saved has another."""


def save(path: str | PathLike[str], parameters: ParameterVector, functions: Functions, meta: Mapping[str, Any]) -> None:
    """Write a network to ``path`` atomically, with ``meta`` added to the network's own metadata.

    Raises
    ------
    InputError
        If the network is complex, which is supported for gradient checking only, or if ``meta`` has an invalid value
        for a key that ``Metadata`` declares. Other keys are allowed.
    OSError
        If the file cannot be written.
    """
    dtype = parameters.vector.dtype.name
    if dtype not in DTYPES:
        raise InputError(f"cannot save a {dtype} network; a model file holds {' or '.join(DTYPES)}")
    described = {
        "created_by": CREATED_BY,
        **meta,
        "format": FORMAT,
        "version": __version__,
        "sizes": parameters.sizes,
        **functions._asdict(),
        "dtype": dtype,
    }
    check(described)
    npz.write(path, parameters.named_arrays(), described)


def load(path: str | PathLike[str]) -> tuple[ParameterVector, Functions, Metadata]:
    """Read the parameters of the network at ``path``, the names of its functions, and its metadata.

    Raises
    ------
    InputError
        If the file is missing, is not a model file, or is inconsistent.
    """
    held = npz.read(path, "model file", READABLE)
    try:
        return *_network(held), Metadata.read(held.meta)
    except InputError as error:
        raise InputError(f"{path} is not a model file that mnist-bp wrote (model.npz): {error}") from error


def _network(held: npz.Archive) -> tuple[ParameterVector, Functions]:
    arrays, meta = held
    _check_meta(meta)
    shapes = array_shapes(meta["sizes"])
    if set(arrays) != set(shapes):
        raise InputError(f"expected exactly the arrays {', '.join(shapes)} and meta")
    for name, shape in shapes.items():
        if arrays[name].shape != shape or arrays[name].dtype != meta["dtype"]:
            found = f"{arrays[name].dtype} {arrays[name].shape}"
            raise InputError(f"{name} is {found}; sizes {meta['sizes']} require {meta['dtype']} {shape}")
        if not np.isfinite(arrays[name]).all():
            raise InputError(f"{name} contains numbers that are not finite")
    functions = checked_functions(meta["activation"], meta["cost"], meta["output_activation"])
    parameters = ParameterVector.empty(meta["sizes"], meta["dtype"])
    for name, parameter in parameters.named_arrays().items():
        parameter[...] = arrays[name]
    return parameters, functions


def _check_meta(meta: dict[str, Any]) -> None:
    """Raise InputError unless sizes, dtype and names have valid types."""
    sizes = meta.get("sizes")
    if not isinstance(sizes, list) or len(sizes) < 2 or not all(type(size) is int and size > 0 for size in sizes):
        raise InputError(f"its sizes are {sizes!r}; expected a list of whole numbers")
    if meta.get("dtype") not in DTYPES:
        raise InputError(f"its dtype is {meta.get('dtype')!r}; expected one of {', '.join(DTYPES)}")
    for name in ("activation", "cost", "output_activation"):
        if not isinstance(meta.get(name), str):
            raise InputError(f"unknown {name.replace('_', ' ')} {meta.get(name)!r}")
