"""Self-test of the gradient check: each of the known bugs must be caught, and the right gradient must pass."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.objective import Objective
from mnist_bp.gradcheck.check import Reference, UserGradient
from mnist_bp.gradcheck.checker import draw_biases
from mnist_bp.gradcheck.diagnose import diagnose
from mnist_bp.gradcheck.known_bugs import KNOWN_BUGS
from mnist_bp.network import Network

__all__ = ["Finding", "SelfTest"]

HIDDEN = (16, 16)
"""Hidden layers of the self-test. One weight matrix is square, so that its transpose has the same shape."""

ROUNDING = 1e-9
"""Relative difference of two gradients that may be rounding. The effect of every known bug is larger."""


class Finding(NamedTuple):
    """Result for one known bug: ``caught`` if the check fails, ``named`` if the diagnosis identifies the bug."""

    bug: str
    caught: bool
    named: bool
    diagnosis: list[str]


class SelfTest:
    """Self-test of the gradient check, on a new network.

    Parameters
    ----------
    X, labels
        Mini-batch of examples, (n, n_0) in float64 and (n,).
    classes
        Number of outputs.
    seed
        Seed of the network and of the checks.
    """

    def __init__(self, X: Array, labels: NDArray[np.uint8], classes: int, seed: int) -> None:
        sizes = (X.shape[1], *HIDDEN, classes)
        self._network = Network(sizes, rng=np.random.default_rng(seed), dtype=np.float64)
        draw_biases(self._network, seed)
        self._right = Objective(X, self._network.targets(labels))
        self._reference = Reference(self._network, self._right, method="complex", rng=np.random.default_rng(seed))

    def findings(self) -> Iterator[Finding]:
        """Yield the result for each known bug that changes this gradient.

        Transposing images changes nothing if they are not square, for example.
        """
        right = self._right.gradient(self._network).vector
        for bug in KNOWN_BUGS:
            wrong = bug.gradient(self._network, self._right.X, self._right.Y).vector
            if np.allclose(wrong, right, rtol=ROUNDING, atol=0):
                continue
            found = self._reference.check(UserGradient(self._right.X, self._right.Y, backpropagate=bug.gradient))
            diagnosis = diagnose(found, self._network, self._right)
            is_named = any(bug.sign in words for words in diagnosis)
            yield Finding(bug.name, found.outcome == "failed", is_named, diagnosis)

    def right_passes(self) -> bool:
        """Return True if the right gradient passes."""
        return self._reference.check(self._right).passed
