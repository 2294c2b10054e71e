"""The training loop: a generator of one result per epoch, which shows nothing and prints nothing."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.layers import LayeredVector
from mnist_bp.core.network import Network
from mnist_bp.core.optimizers import SGD
from mnist_bp.data.batches import mini_batches
from mnist_bp.errors import Diverged
from mnist_bp.training.evaluation import evaluate

__all__ = ["EpochResult", "train"]


@dataclass(frozen=True)
class EpochResult:
    """What one epoch came to.

    Attributes
    ----------
    epoch
        Its number, from 1.
    train_cost, train_accuracy
        Over the epoch's mini-batches, each judged by the network as it was just before it learned from it.
    test_cost, test_accuracy
        Over the whole test set, after the epoch.
    learning_rate
        η of its steps.
    seconds
        Of the training alone, without the test.
    """

    epoch: int
    train_cost: float
    train_accuracy: float
    test_cost: float
    test_accuracy: float
    learning_rate: float
    seconds: float


def train(
    network: Network,
    train_inputs: Array,
    train_labels: NDArray[np.uint8],
    test_inputs: Array,
    test_labels: NDArray[np.uint8],
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    on_batch: Callable[[], object] | None = None,
) -> Iterator[EpochResult]:
    """Train ``network`` in place, an epoch for each result that is asked for.

    An epoch that does not end, its test included (an exception, Ctrl-C, numbers that are not finite any more), leaves
    no trace: the network is then as the last whole epoch left it.

    Parameters
    ----------
    train_inputs, train_labels, test_inputs, test_labels
        Inputs (n, n_0) of the network's dtype, labels (n,).
    batch_size
        Examples in a mini-batch; all of them, or more: true gradient descent.
    seed
        Of the order of the examples.
    on_batch
        Called after each step, for a progress bar.

    Raises
    ------
    Diverged
        If a cost or a parameter is not finite after an epoch.
    """
    gradient = LayeredVector.empty(network.sizes, network.dtype)
    optimizer = SGD(learning_rate)
    finished = network.parameters.copy()
    for epoch in range(1, epochs + 1):
        start = time.perf_counter()
        batches = mini_batches(train_inputs, train_labels, batch_size, seed=seed, epoch=epoch)
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found below, and said
                cost, accuracy = _run_epoch(network, batches, gradient, optimizer, on_batch)
            seconds = time.perf_counter() - start
            test = evaluate(network, test_inputs, test_labels)
            if not (np.isfinite([cost, test.cost]).all() and np.isfinite(network.parameters).all()):
                raise Diverged(
                    f"training diverged in epoch {epoch}: its numbers are not finite any more; "
                    f"try a smaller --learning-rate than {learning_rate:g}"
                )
        except BaseException:
            network.parameters[...] = finished
            raise
        finished[...] = network.parameters
        yield EpochResult(epoch, cost, accuracy, test.cost, test.accuracy, learning_rate, seconds)


def _run_epoch(
    network: Network,
    batches: Iterator[tuple[Array, NDArray[np.uint8]]],
    gradient: LayeredVector,
    optimizer: SGD,
    on_batch: Callable[[], object] | None,
) -> tuple[float, float]:
    """One pass over the mini-batches: their mean cost and accuracy, each weighted by its examples."""
    total_cost, right, examples = 0.0, 0, 0
    for X, labels in batches:
        Y = network.targets(labels)
        trace = network.propagate(X)
        network.gradient(trace, Y, out=gradient)
        optimizer.step(network.parameters, gradient.vector)

        total_cost += float(network.costs(trace, Y).sum())
        right += int(np.count_nonzero(trace.A[-1].argmax(axis=1) == labels))
        examples += len(labels)
        if on_batch is not None:
            on_batch()
    return total_cost / examples, right / examples
