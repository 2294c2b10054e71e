"""How good a network is on a set of examples."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Network

__all__ = ["ClassScore", "Evaluation", "evaluate"]

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


def evaluate(network: Network, inputs: Array, labels: NDArray[np.uint8]) -> Evaluation:
    """Run all examples, (n, n_0) and (n,), through the network."""
    classes = network.sizes[-1]
    total_cost, confusion = 0.0, np.zeros((classes, classes), np.int64)
    for start in range(0, len(labels), CHUNK):
        answers = labels[start : start + CHUNK]
        with np.errstate(over="ignore", invalid="ignore"):  # parameters that are too large: the cost says so
            trace = network.propagate(inputs[start : start + CHUNK])
            total_cost += float(network.costs(trace, network.targets(answers)).sum(dtype=np.float64))
        pairs = answers.astype(np.int64) * classes + trace.A[-1].argmax(axis=1)
        confusion += np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    return Evaluation(total_cost / len(labels), confusion)


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
