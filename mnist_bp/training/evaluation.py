"""How good a network is on a set of examples."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Network, Trace
from mnist_bp.data.batches import scaled

__all__ = ["ClassScore", "Evaluation", "evaluate", "judge"]

CHUNK = 1_000
"""Examples that go through the network at a time, so that memory does not grow with their number."""


class ClassScore(NamedTuple):
    """How well one class is recognised; a ratio with nothing to divide by is 0."""

    label: int
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Evaluation:
    """What a network makes of some examples.

    Attributes
    ----------
    cost
        The mean of C_i over the examples; not finite if the network's numbers overflow.
    confusion
        (classes, classes): row, the true class; column, the answer.
    """

    cost: float
    confusion: NDArray[np.int64]

    @property
    def examples(self) -> int:
        """How many there were."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """The share that was answered rightly."""
        return float(self.confusion.trace() / self.confusion.sum())

    def per_class(self) -> list[ClassScore]:
        """Precision, recall, F1 and support (examples) of each class."""
        right = self.confusion.diagonal()
        support, answered = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        precision, recall = _ratio(right, answered), _ratio(right, support)
        f1 = _ratio(2 * right, support + answered)
        return [
            ClassScore(label, float(precision[label]), float(recall[label]), float(f1[label]), int(support[label]))
            for label in range(len(right))
        ]


def evaluate(network: Network, images: Array, labels: NDArray[np.uint8]) -> Evaluation:
    """Run all examples, (n, n_0) and (n,), through the network; images may be grey levels, see ``scaled``."""
    Z = np.empty((len(labels), network.sizes[-1]), network.dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # parameters that are too large: the cost says so
        for start in range(0, len(labels), CHUNK):
            X = scaled(images[start : start + CHUNK], network.dtype)
            Z[start : start + CHUNK] = network.propagate(X).Z
        return judge(network, Z, labels)


def judge(network: Network, Z: Array, labels: NDArray[np.uint8]) -> Evaluation:
    """Say how good outputs are whose weighted sums are Z, (n, n_L), where labels, (n,), were wanted."""
    A = network.σ[-1].f(Z)
    costs = network.costs(Trace([A], Z), network.targets(labels))
    classes = Z.shape[1]
    pairs = labels.astype(np.int64) * classes + A.argmax(axis=1)
    confusion = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    return Evaluation(float(costs.mean(dtype=np.float64)), confusion)


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
