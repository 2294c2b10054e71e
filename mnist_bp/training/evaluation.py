"""Evaluation of a network on a set of examples."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.adversarial import adversarial_inputs
from mnist_bp.core.choices import COSTS
from mnist_bp.core.network import forward
from mnist_bp.core.objective import Objective
from mnist_bp.data.batches import normalize
from mnist_bp.network import Network
from mnist_bp.training.ranks import SINGLE, Ranks

__all__ = [
    "EXAMPLES_AT_ONCE",
    "ClassScore",
    "Evaluation",
    "Misclassified",
    "chunks",
    "evaluate",
    "merged",
    "metrics_from_outputs",
    "tally",
    "weighted_sums",
]

EXAMPLES_AT_ONCE = 1_000
"""Number of examples that are processed at a time, which bounds memory and keeps results in the cache."""


class ClassScore(NamedTuple):
    """Precision, recall, F1 and number of examples of one class; a ratio without a denominator is None."""

    label: int
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


class Misclassified(NamedTuple):
    """A misclassified example, its predicted class (``answer``), and the activation of that output."""

    example: int
    label: int
    answer: int
    output: float


@dataclass(frozen=True)
class Evaluation:
    """Result of evaluating a network on a set of examples.

    Attributes
    ----------
    cost
        Mean of C_i over the examples. It is not finite if the network's values overflow.
    confusion
        Confusion matrix, (classes, classes). Rows are the true class, columns the predicted class.
    mistakes
        Misclassified examples, at most the requested number, the most confident first, then in order of the examples.
    """

    cost: float
    confusion: NDArray[np.int64]
    mistakes: tuple[Misclassified, ...] = ()

    @property
    def examples(self) -> int:
        """Number of examples."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Fraction of the examples that were classified correctly."""
        return float(self.confusion.trace() / self.confusion.sum())

    def per_class(self) -> list[ClassScore]:
        """Return precision, recall, F1 score and support (number of examples) of each class."""
        right = self.confusion.diagonal()
        support, answered = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        precision, recall = _ratio(right, answered), _ratio(right, support)
        f1 = _ratio(2 * right, support + answered)
        return [
            ClassScore(label, precision[label], recall[label], f1[label], int(support[label]))
            for label in range(len(right))
        ]


def evaluate(
    network: Network,
    images: Array,
    labels: NDArray[np.uint8],
    *,
    mistakes: int = 0,
    adversarial: float = 0.0,
    ranks: Ranks = SINGLE,
) -> Evaluation:
    """Evaluate a network on images (n, n_0), which may be grey levels (see ``normalize``), and labels (n,).

    ``mistakes`` is the largest number of misclassified examples to return. With ``adversarial``, the ε of
    ``adversarial_inputs``, the network is evaluated on adversarial examples instead. Each of the ``ranks`` computes the
    outputs for a part of the examples.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # very large parameters give a cost that is not finite
        Z = ranks.split(partial(weighted_sums, network, adversarial=adversarial), images, labels)
        return metrics_from_outputs(network, Z, labels, mistakes=mistakes)


def weighted_sums(network: Network, images: Array, labels: NDArray[np.uint8], *, adversarial: float = 0.0) -> Array:
    """Return the weighted sums Z of the outputs, (n, n_L), for the examples that ``evaluate`` takes."""
    Z = np.empty((len(images), network.sizes[-1]), network.dtype)
    for now in chunks(len(images)):
        X = normalize(images[now], network.dtype)
        if adversarial:
            X = adversarial_inputs(network, Objective(X, network.targets(labels[now])), adversarial)
        Z[now] = forward(network, X).Z
    return Z


def metrics_from_outputs(network: Network, Z: Array, labels: NDArray[np.uint8], *, mistakes: int = 0) -> Evaluation:
    """Evaluate outputs by their weighted sums Z, (n, n_L), against labels (n,)."""

    def outputs() -> Iterator[tuple[Array, Array]]:
        for now in chunks(len(labels)):
            A = network.σ[network.L].f(Z[now])
            yield A, COSTS[network.cost].per_example(Z[now], A, network.targets(labels[now]))

    return tally(outputs(), labels, Z.shape[1], mistakes=mistakes)


def tally(
    outputs: Iterable[tuple[Array, Array]], labels: NDArray[np.uint8], classes: int, *, mistakes: int = 0
) -> Evaluation:
    """Evaluate outputs, (m, n_L), with the costs C_i of their examples, (m,), for each of ``chunks`` of the labels."""
    total_cost, confusion, worst = 0.0, np.zeros(classes**2, np.int64), list[Misclassified]()
    for now, (A, costs) in zip(chunks(len(labels)), outputs, strict=True):
        answers = A.argmax(axis=1)
        total_cost += float(costs.sum(dtype=np.float64))
        confusion += np.bincount(labels[now].astype(np.int64) * classes + answers, minlength=classes**2)
        if mistakes:
            worst = _most_confident([*worst, *_mistakes(now.start, A, answers, labels[now])])[:mistakes]
    mean = total_cost / max(len(labels), 1)
    return Evaluation(mean, confusion.reshape(classes, classes), tuple(worst))


def merged(parts: Sequence[Evaluation]) -> Evaluation:
    """Return the evaluation of all examples from those of parts of them, without misclassified examples."""
    if len(parts) == 1:
        return parts[0]
    confusion = np.sum([part.confusion for part in parts], axis=0)
    return Evaluation(sum(part.cost * part.examples for part in parts) / confusion.sum(), confusion)


def _mistakes(start: int, A: Array, answers: NDArray[np.intp], labels: NDArray[np.uint8]) -> Iterator[Misclassified]:
    """Yield the misclassified examples of a chunk that begins at ``start``, with outputs A, (n, n_L)."""
    for row in np.flatnonzero(answers != labels).tolist():
        yield Misclassified(start + row, int(labels[row]), int(answers[row]), float(A[row, answers[row]]))


def _most_confident(mistakes: list[Misclassified]) -> list[Misclassified]:
    """Return misclassified examples sorted by decreasing output, then by the order of the examples."""
    return sorted(mistakes, key=lambda mistake: (-mistake.output, mistake.example))


def chunks(examples: int) -> Iterator[slice]:
    """Yield slices of ``EXAMPLES_AT_ONCE`` examples that cover all of them."""
    for start in range(0, examples, EXAMPLES_AT_ONCE):
        yield slice(start, start + EXAMPLES_AT_ONCE)


def _ratio(parts: NDArray[np.int64], wholes: NDArray[np.int64]) -> list[float | None]:
    """Return each part of its whole; None where the whole is 0."""
    return [part / whole if whole else None for part, whole in zip(parts.tolist(), wholes.tolist(), strict=True)]
