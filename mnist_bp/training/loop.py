"""The training loop: a generator of one result per epoch, which shows nothing and prints nothing."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.layers import LayeredVector
from mnist_bp.core.network import Network
from mnist_bp.core.optimizers import SGD
from mnist_bp.data.batches import mini_batches, scaled
from mnist_bp.errors import Diverged
from mnist_bp.training.evaluation import Evaluation, evaluate, judge

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
    train_images: Array,
    train_labels: NDArray[np.uint8],
    test_images: Array,
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
    train_images, train_labels, test_images, test_labels
        Images (n, n_0), grey levels or whatever else the network should see (see ``scaled``), and labels (n,).
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
    network.targets(train_labels)  # refuses what is no label, once
    optimizer = SGD(learning_rate)
    buffers = _Buffers.for_training(network, len(train_labels), batch_size)
    finished = network.parameters.copy()
    for epoch in range(1, epochs + 1):
        start = time.perf_counter()
        batches = mini_batches(train_images, train_labels, batch_size, seed=seed, epoch=epoch)
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found below, and said
                learned = _run_epoch(network, optimizer, batches, buffers, on_batch)
            seconds = time.perf_counter() - start
            test = evaluate(network, test_images, test_labels)
            if not (np.isfinite([learned.cost, test.cost]).all() and np.isfinite(network.parameters).all()):
                raise Diverged(
                    f"training diverged in epoch {epoch}: its numbers are not finite any more; "
                    f"try a smaller --learning-rate than {learning_rate:g}"
                )
        except BaseException:
            network.parameters = finished
            raise
        finished[...] = network.parameters
        yield EpochResult(epoch, learned.cost, learned.accuracy, test.cost, test.accuracy, learning_rate, seconds)


class _Buffers(NamedTuple):
    """What an epoch needs room for; made once, since fresh memory is slow memory.

    ``inputs`` is (batch size, n_0), ``gradient`` like the parameters, ``Z`` (examples, n_L), ``labels`` (examples,).
    """

    inputs: Array
    gradient: LayeredVector
    Z: Array
    labels: NDArray[np.uint8]

    @classmethod
    def for_training(cls, network: Network, examples: int, batch_size: int) -> "_Buffers":
        n_0, n_L = network.sizes[0], network.sizes[-1]
        return cls(
            inputs=np.empty((min(batch_size, examples), n_0), network.dtype),
            gradient=LayeredVector.empty(network.sizes, network.dtype),
            Z=np.empty((examples, n_L), network.dtype),
            labels=np.empty(examples, np.uint8),
        )


def _run_epoch(
    network: Network,
    optimizer: SGD,
    batches: Iterator[tuple[Array, NDArray[np.uint8]]],
    buffers: _Buffers,
    on_batch: Callable[[], object] | None,
) -> Evaluation:
    """Learn from each mini-batch once; how good the network was on each, just before."""
    seen = 0
    for images, labels in batches:
        trace = network.propagate(scaled(images, network.dtype, out=buffers.inputs))
        gradient = network.gradient(trace, network.one_hot(labels), out=buffers.gradient)
        optimizer.step(network.parameters, gradient.vector)

        # Judged at the end, for all batches at once: by the hundred it would take as long as the learning.
        now = slice(seen, seen + len(labels))
        buffers.Z[now], buffers.labels[now] = trace.Z, labels
        seen += len(labels)
        if on_batch is not None:
            on_batch()
    return judge(network, buffers.Z[:seen], buffers.labels[:seen])
