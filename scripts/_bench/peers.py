"""Other libraries that train like mnist-bp, but without its running cost and accuracy."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from _bench.jobs import Job
from _bench.systems import Floor, Lesson, MnistBp, System
from mnist_bp.core.activations import Array
from mnist_bp.data.datasets import Dataset


class Torch(System):
    """PyTorch in eager mode, with the examples as one tensor in memory."""

    label = "PyTorch"
    package = "torch"

    def __init__(self, job: Job, data: Dataset) -> None:
        import torch

        super().__init__(job, data)
        self.torch = torch
        torch.manual_seed(job.seed)
        self.X = torch.from_numpy(self.examples.inputs(np.float32))
        self.Y = torch.from_numpy(self.network.targets(self.examples.labels))
        self.model = self.build()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=job.learning_rate)

    def build(self) -> Any:
        """Return the network with the common initial weights."""
        nn = self.torch.nn
        σ = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU}[self.job.activation]
        self.linear: list[Any] = []
        modules: list[Any] = []
        for W, b in zip(self.network.weights, self.network.biases, strict=True):
            self.linear.append(nn.Linear(W.shape[1], W.shape[0]))
            self.linear[-1].weight.data = self.torch.from_numpy(np.array(W, order="C"))
            self.linear[-1].bias.data = self.torch.from_numpy(b.copy())
            modules += [self.linear[-1], σ()]
        modules[-1] = nn.Sigmoid() if self.job.cost == "squared-error" else nn.Identity()
        return nn.Sequential(*modules)

    def loss(self, outputs: Any, Y: Any) -> Any:
        """Return the mean of Σ (a − y)², or of the cross-entropy, over the examples."""
        if self.job.cost == "squared-error":
            return (outputs - Y).square().sum(1).mean()
        return self.torch.nn.functional.cross_entropy(outputs, Y)

    def batches(self) -> Iterable[tuple[Any, Any]]:
        """Return mini-batches of inputs and one-hot rows in a new random order."""
        if self.is_one_batch:
            return [(self.X, self.Y)]
        order = self.torch.randperm(len(self.X))
        return ((self.X[rows], self.Y[rows]) for rows in order.split(self.batch_size))

    def run(self) -> None:
        """Train one epoch with the usual loop."""
        for X, Y in self.batches():
            loss = self.loss(self.model(X), Y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    def parameters(self) -> Iterator[tuple[Array, Array]]:
        """Return the weights and biases of the linear layers."""
        return ((layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in self.linear)


class TorchDataLoader(Torch):
    """PyTorch with a DataLoader with default settings, in the main process."""

    label = "PyTorch, DataLoader"

    def __init__(self, job: Job, data: Dataset) -> None:
        super().__init__(job, data)
        tools = self.torch.utils.data
        examples = tools.TensorDataset(self.X, self.Y)
        self.loader = tools.DataLoader(examples, batch_size=self.batch_size, shuffle=True)

    def batches(self) -> Iterable[tuple[Any, Any]]:
        """Return the loader, which shuffles and collates."""
        return self.loader


class Jax(System):
    """JAX, with the whole epoch compiled to one program: a scan over the mini-batches, including the gather."""

    label = "JAX"
    package = "jax"

    def __init__(self, job: Job, data: Dataset) -> None:
        import jax

        super().__init__(job, data)
        self.jax = jax
        self.rng = np.random.default_rng(job.seed)  # numpy draws the order, 20 times as fast as jax.random
        self.X = jax.numpy.asarray(self.examples.inputs(np.float32))
        self.Y = jax.numpy.asarray(self.network.targets(self.examples.labels))
        layers = zip(self.network.weights, self.network.biases, strict=True)
        self.layers = [(jax.numpy.array(W.T), jax.numpy.array(b)) for W, b in layers]
        self.compiled = jax.jit(self.whole_epoch)

    def cost(self, layers: Any, X: Any, Y: Any) -> Any:
        """Return the mean of Σ (a − y)², or of the cross-entropy, over the examples, after a forward pass."""
        nn = self.jax.nn
        σ = {"sigmoid": nn.sigmoid, "relu": nn.relu}[self.job.activation]
        for W, b in layers[:-1]:
            X = σ(X @ W + b)
        W, b = layers[-1]
        Z = X @ W + b
        if self.job.cost == "squared-error":
            return ((nn.sigmoid(Z) - Y) ** 2).sum(1).mean()
        return -(Y * nn.log_softmax(Z)).sum(1).mean()

    def whole_epoch(self, layers: Any, order: Any, X: Any, Y: Any) -> Any:
        """Return the parameters after an epoch. The last batch is smaller if the division leaves a remainder."""

        def learn(layers: Any, X: Any, Y: Any) -> Any:
            gradient = self.jax.grad(self.cost)(layers, X, Y)
            return self.jax.tree.map(lambda p, g: p - self.job.learning_rate * g, layers, gradient)

        if self.is_one_batch:
            return learn(layers, X, Y)
        steps = len(order) // self.batch_size
        batches = order[: steps * self.batch_size].reshape(steps, self.batch_size)
        layers, _ = self.jax.lax.scan(lambda now, rows: (learn(now, X[rows], Y[rows]), None), layers, batches)
        rest = order[steps * self.batch_size :]
        return learn(layers, X[rest], Y[rest]) if len(rest) else layers

    def run(self) -> None:
        """Run the compiled epoch, and wait for it."""
        order = self.rng.permutation(len(self.X)).astype(np.int32)
        self.layers = self.jax.block_until_ready(self.compiled(self.layers, order, self.X, self.Y))

    def parameters(self) -> Iterator[tuple[Array, Array]]:
        """Return the weights, transposed back, and the biases."""
        return ((np.asarray(W).T, np.asarray(b)) for W, b in self.layers)


class Sklearn(System):
    """scikit-learn's MLPClassifier, with one partial_fit per epoch. It supports only cross-entropy."""

    label = "scikit-learn"
    package = "sklearn"
    costs = ("cross-entropy",)

    def __init__(self, job: Job, data: Dataset) -> None:
        from sklearn.neural_network import MLPClassifier

        job = replace(job, cost="cross-entropy")
        super().__init__(job, data)
        self.X = self.examples.inputs(np.float32)
        self.model = MLPClassifier(
            job.hidden,
            activation={"sigmoid": "logistic", "relu": "relu"}[job.activation],
            solver="sgd",
            alpha=0,
            batch_size=1,
            learning_rate_init=job.learning_rate,
            momentum=0,
            nesterovs_momentum=False,
            random_state=job.seed,
        )
        self.model.partial_fit(self.X[:1], self.examples.labels[:1], classes=range(data.classes))  # creates the arrays
        for mine, theirs in zip(self.network.weights, self.model.coefs_, strict=True):
            theirs[...] = mine.T
        for mine, theirs in zip(self.network.biases, self.model.intercepts_, strict=True):
            theirs[...] = mine
        self.model.set_params(batch_size=self.batch_size)

    def run(self) -> None:
        """Train one epoch. MLPClassifier shuffles the examples."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about an epoch that did not improve the loss
            self.model.partial_fit(self.X, self.examples.labels)

    def parameters(self) -> Iterator[tuple[Array, Array]]:
        """Return the weights, transposed back, and the biases."""
        return ((W.T, b) for W, b in zip(self.model.coefs_, self.model.intercepts_, strict=True))


SYSTEMS: dict[str, type[System]] = {
    "mnist-bp": MnistBp,
    "floor": Floor,
    "torch": Torch,
    "torch-dataloader": TorchDataLoader,
    "jax": Jax,
    "sklearn": Sklearn,
    "lesson": Lesson,
}
"""All systems by their names for ``--systems``. The first one, mnist-bp, is the reference of the ratios."""
