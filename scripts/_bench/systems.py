"""Systems that are compared and need only numpy, as classes. The others are in ``peers``."""

import sys
import time
from collections.abc import Iterable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from _bench.jobs import Job
from mnist_bp.core.activations import Array
from mnist_bp.data.datasets import Dataset, Examples
from mnist_bp.training.evaluation import Evaluation, evaluate
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import train

LESSON_EXAMPLES = range(200, 2_001)
"""Range of the number of examples on which the loop over single examples is timed, fewer for larger networks."""
LESSON_NUMBERS = 26_000_000
"""Number of derivatives that this loop computes, which determines the number of examples."""


class System:
    """System that trains the network of a job, an epoch at a time.

    Attributes
    ----------
    label, package
        Name in the tables, and package that must be installed.
    costs
        Supported cost functions.
    """

    label: ClassVar[str]
    package: ClassVar[str] = "numpy"
    costs: ClassVar[tuple[str, ...]] = ("squared-error", "cross-entropy")

    def __init__(self, job: Job, data: Dataset) -> None:
        self.job = job
        self.data = data
        self.examples = data.train.first(job.limit)
        self.network = job.network(data)
        self.batch_size = min(job.batch_size or len(self.examples), len(self.examples))

    @property
    def is_one_batch(self) -> bool:
        """True if a step uses all examples, so that no order is drawn and no rows are gathered."""
        return self.batch_size == len(self.examples)

    def epoch(self) -> float:
        """Train one epoch, and return its seconds."""
        start = time.perf_counter()
        self.run()
        return time.perf_counter() - start

    def run(self) -> None:
        """Train one epoch."""
        raise NotImplementedError

    def parameters(self) -> Iterable[tuple[Array, Array]]:
        """Return the current W, (to, from), and b of each layer."""
        raise NotImplementedError

    def evaluate(self, examples: Examples) -> Evaluation:
        """Evaluate the current network with mnist-bp, so that all systems are evaluated alike."""
        layers = zip(self.network.weights, self.network.biases, self.parameters(), strict=True)
        for W, b, (trained_W, trained_b) in layers:
            W[...], b[...] = trained_W, trained_b
        return evaluate(self.network, examples.rows, examples.labels)


class MnistBp(System):
    """mnist-bp, with the training loop of its command."""

    label = "mnist-bp"

    def __init__(self, job: Job, data: Dataset) -> None:
        super().__init__(job, data)
        self.results = train(
            self.network,
            (self.examples.rows, self.examples.labels),
            (data.test.rows, data.test.labels),
            Settings(
                average=0,
                epochs=sys.maxsize,
                batch_size=self.batch_size,
                learning_rate=job.learning_rate,
                seed=job.seed,
            ),
        )

    def epoch(self) -> float:
        """Train one epoch, and return its seconds as measured by the loop, without the evaluation."""
        return next(self.results).seconds

    def parameters(self) -> Iterable[tuple[Array, Array]]:
        """Return the weights and biases of the network."""
        return zip(self.network.weights, self.network.biases, strict=True)


class Lesson(System):
    """Loop over single examples with the lesson's formulas, timed on some of the examples and scaled up."""

    label = "single examples, numpy"
    costs = ("squared-error",)

    def __init__(self, job: Job, data: Dataset) -> None:
        super().__init__(job, data)
        few = LESSON_NUMBERS // self.network.parameters.size
        few = max(LESSON_EXAMPLES.start, min(few, LESSON_EXAMPLES.stop - 1))
        self.scale = max(1.0, len(self.examples) / few)
        some = self.examples.first(few)
        self.X, self.Y = some.inputs(np.float32), self.network.targets(some.labels)
        self.W = [np.ascontiguousarray(W) for W in self.network.weights]
        self.b = [b.copy() for b in self.network.biases]
        self.rng = np.random.default_rng(job.seed)

    def epoch(self) -> float:
        """Train on some of the examples, and return the estimated seconds of a full epoch."""
        return super().epoch() * self.scale

    def run(self) -> None:
        """Train one epoch: average the gradients of each mini-batch, then take the step."""
        order = self.rng.permutation(len(self.X))
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            dW, db = [np.zeros_like(W) for W in self.W], [np.zeros_like(b) for b in self.b]
            for row in rows:
                self.add_gradient(self.X[row], self.Y[row], dW, db)
            rate = np.float32(self.job.learning_rate / len(rows))
            for p, nudge in zip(self.W + self.b, dW + db, strict=True):
                p -= rate * nudge

    def add_gradient(self, x: Array, y: Array, dW: list[Array], db: list[Array]) -> None:
        """Add the gradient of one example's cost."""
        a = [x]
        for W, b in zip(self.W, self.b, strict=True):
            a.append(1 / (1 + np.exp(-(W @ a[-1] + b))))
        dC_da = 2 * (a[-1] - y)
        for i in reversed(range(len(self.W))):
            dC_dz = a[i + 1] * (1 - a[i + 1]) * dC_da
            dW[i] += np.outer(dC_dz, a[i])
            db[i] += dC_dz
            dC_da = self.W[i].T @ dC_dz

    def parameters(self) -> Iterable[tuple[Array, Array]]:
        """Return the weights and biases of the loop."""
        return zip(self.W, self.b, strict=True)


class Floor(System):
    """Lower bound without training: the matrix products and row gathers of an epoch, into preallocated arrays."""

    label = "floor"
    costs = ()

    def __init__(self, job: Job, data: Dataset) -> None:
        super().__init__(job, data)
        self.X = self.examples.inputs(np.float32)
        self.order = np.random.default_rng(job.seed).permutation(len(self.X))
        self.W = [np.ascontiguousarray(W.T) for W in self.network.weights]  # (from, to), as mnist-bp keeps them
        self.dW = [np.empty_like(W) for W in self.W]
        rows = 0 if self.is_one_batch else self.batch_size
        self.gathered = np.empty((rows, self.network.sizes[0]), np.float32)
        self.A = [np.full((self.batch_size, n), 0.1, np.float32) for n in self.network.sizes[1:]]
        self.Z = [np.empty_like(A) for A in self.A]

    def run(self) -> None:
        """Process all batches of an epoch."""
        if self.is_one_batch:
            self.multiply(self.X)
            return
        for start in range(0, len(self.order), self.batch_size):
            self.multiply(self.gather(self.order[start : start + self.batch_size]))

    def gather(self, rows: NDArray[np.int64]) -> Array:
        """Copy these rows. The mode is "clip", because numpy makes another copy with "raise"."""
        return self.X.take(rows, axis=0, out=self.gathered[: len(rows)], mode="clip")

    def multiply(self, X: Array) -> None:
        """Compute Z = A W of each layer, then Aᵀ ∂C/∂Z of each layer and ∂C/∂Z Wᵀ of all but the first.

        np.dot needs less time than np.matmul to call the same function of BLAS, and multiplies single rows by it, too.
        """
        n = len(X)
        A, Z = [X, *(a[:n] for a in self.A)], [z[:n] for z in self.Z]
        for i, W in enumerate(self.W):
            np.dot(A[i], W, out=Z[i])
        for i in reversed(range(len(self.W))):
            np.dot(A[i].T, A[i + 1], out=self.dW[i])
            if i > 0:
                np.dot(A[i + 1], self.W[i].T, out=Z[i - 1])
