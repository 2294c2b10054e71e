"""Checks of a network's arguments: sizes, the names of its functions, inputs and labels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.choices import ACTIVATIONS, COSTS, OUTPUT_ACTIVATIONS
from mnist_bp.core.choices import activation as activation_named
from mnist_bp.errors import InputError

__all__ = [
    "Functions",
    "checked_functions",
    "checked_inputs",
    "checked_sizes",
    "checked_targets",
    "one_hot",
    "refuse_non_finite",
]

SUM_TOLERANCE = 1e-5
"""Largest difference from 1 of a sum of probabilities: that of a thousand float32 numbers, and not that of numbers that
were rounded to three digits."""


class Functions(NamedTuple):
    """Names of a network's functions."""

    activation: str
    cost: str
    output_activation: str


def checked_functions(activation: str, cost: str, output_activation: str | None) -> Functions:
    """Return the names, with the cost's default if ``output_activation`` is None.

    Raises
    ------
    InputError
        If a name is unknown, or the cost does not support the output activation.
    """
    ACTIVATIONS.check(activation)
    COSTS.check(cost)
    entry = COSTS[cost]
    outputs = output_activation or entry.output_activation
    if outputs not in [*ACTIVATIONS, *OUTPUT_ACTIVATIONS]:
        known = ", ".join([*ACTIVATIONS, *OUTPUT_ACTIVATIONS])
        raise InputError(f"unknown output activation {outputs!r}; known: {known}")
    fits_any = entry.dC_dA is not None and activation_named(outputs).is_elementwise
    if outputs != entry.output_activation and not fits_any:
        raise InputError(f"{cost} does not support {outputs} outputs; expected {entry.output_activation}")
    return Functions(activation, cost, outputs)


def checked_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the layer sizes, input first, as a tuple. Raise InputError unless there are 2 or more, each 1 or more."""
    if len(sizes) < 2 or any(int(size) != size or size < 1 for size in sizes):
        raise InputError(f"expected at least two layer sizes, each a whole number of 1 or more; got {list(sizes)}")
    return tuple(int(size) for size in sizes)


def checked_inputs(x: ArrayLike, n_0: int, dtype: DTypeLike) -> Array:
    """Return finite inputs as an array of this dtype and of shape (examples ≥ 1, n_0). Raise InputError otherwise."""
    with np.errstate(over="ignore"):  # a number that is too large for the dtype is refused below
        X = np.asarray(x, dtype=dtype)
    if X.ndim != 2 or X.shape[1] != n_0 or not len(X):
        raise InputError(f"the inputs have shape {X.shape}; this network expects (examples, {n_0})")
    refuse_non_finite("inputs", X)
    return X


def refuse_non_finite(name: str, values: Array) -> None:
    """Raise InputError if the values, which the message calls ``name``, contain NaN or infinity."""
    if not np.isfinite(values).all():
        raise InputError(f"the {name} contain NaN or infinity; expected finite {values.dtype} numbers")


def checked_targets(y: ArrayLike, n_L: int, dtype: DTypeLike, cost: str) -> Array:
    """Return labels or rows of targets as an (examples, n_L) array of this dtype.

    Raises
    ------
    InputError
        If they do not fit the network, or rows are not what the cost expects: see ``Cost.targets``.
    """
    given = np.asarray(y)
    if given.ndim == 1 and given.dtype.kind in "iu":
        if given.size and not (0 <= given.min() and given.max() < n_L):
            raise InputError(f"expected labels from 0 to {n_L - 1}; found {given.min()} to {given.max()}")
        return one_hot(given, n_L, dtype)
    if given.ndim == 2 and given.shape[1] == n_L:
        with np.errstate(over="ignore"):
            rows: Array = given.astype(dtype, copy=False)
        _refuse_targets(rows.real, cost)
        return rows
    raise InputError(f"the labels have shape {given.shape}; expected integers (examples,) or rows (examples, {n_L})")


def _refuse_targets(rows: Array, cost: str) -> None:
    """Raise InputError unless the targets in these rows are finite and what the cost expects."""
    refuse_non_finite("targets", rows)
    expected = COSTS[cost].targets
    if expected != "numbers" and ((rows < 0) | (rows > 1)).any():
        raise InputError(f"{cost} expects targets from 0 to 1; found {rows.min():g} to {rows.max():g}")
    sums = rows.sum(axis=1, dtype=np.float64)
    wrong = np.flatnonzero(np.abs(sums - 1) > SUM_TOLERANCE)
    if expected == "distribution" and wrong.size:
        raise InputError(
            f"{cost} expects targets that sum to 1 in each row; row {wrong[0]} sums to {sums[wrong[0]]:.6g}. "
            "binary-cross-entropy has no such condition"
        )


def one_hot(labels: NDArray[np.integer], n_L: int, dtype: DTypeLike) -> Array:
    """Return rows of 0 with a 1 at the label, (examples, n_L), for labels that were already checked."""
    rows = np.zeros((len(labels), n_L), dtype)
    rows[np.arange(len(labels)), labels] = 1
    return rows
