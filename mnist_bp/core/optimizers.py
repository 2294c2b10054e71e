"""How a gradient becomes a step.

Each optimizer moves all parameters at once, in place; what is left in ``gradient`` afterwards is of no use. What it
remembers from step to step lies in ``state``, arrays by name: with them, and the parameters, a training goes on as if
it had never been stopped.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.constants import MOMENTUM

__all__ = ["ENTRIES", "SGD", "Adam", "Momentum", "Optimizer", "lerp_"]

BLOCK = 1 << 18
"""Numbers that a step moves at a time: it goes over them several times, and so they should not leave the cache between.
With fewer, the calls of numpy would take as long as what they do."""


class Optimizer(Protocol):
    """A way to go downhill.

    Attributes
    ----------
    state
        What it remembers; made once, and changed in place.
    decouples_l2
        Whether the penalty on large weights shrinks them directly, and stays out of the gradient.
    """

    state: dict[str, Array]
    decouples_l2: bool

    def step(self, parameters: Array, gradient: Array, learning_rate: float) -> None:
        """Take one step. ``parameters`` and ``gradient`` are flat vectors, η is positive."""


class SGD:
    """Gradient descent: p ← p − η g, stochastic when g is the gradient of a mini-batch's mean cost.

    The learning rate η belongs to this cost, which has no ½: with ½ in it, the same steps need 2 η.
    """

    decouples_l2 = False

    def __init__(self) -> None:
        self.state: dict[str, Array] = {}

    def step(self, parameters: Array, gradient: Array, learning_rate: float) -> None:
        """Take one step."""
        for p, g in _in_blocks(parameters, gradient):
            g *= learning_rate
            p -= g


class Momentum:
    """A ball that rolls: v ← μ v + g, p ← p − η v (Polyak 1964).

    With ``nesterov``, p ← p − η (g + μ v): it looks where it is going before it corrects its course (Nesterov 1983, in
    the form of Bengio, Boulanger-Lewandowski and Pascanu 2013).
    """

    decouples_l2 = False
    μ = MOMENTUM

    def __init__(self, parameters: Array, *, nesterov: bool = False) -> None:
        self.nesterov = nesterov
        self.velocity = np.zeros_like(parameters)
        self.state = {"velocity": self.velocity}

    def step(self, parameters: Array, gradient: Array, learning_rate: float) -> None:
        """Take one step."""
        for p, g, v in _in_blocks(parameters, gradient, self.velocity):
            v *= self.μ
            v += g
            if self.nesterov:
                g *= learning_rate
                p -= g
                np.multiply(v, learning_rate * self.μ, out=g)
            else:
                np.multiply(v, learning_rate, out=g)
            p -= g


class Adam:
    """Steps whose length each parameter's own gradients set (Kingma and Ba 2015), with their β₁, β₂ and ε.

    m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g², both 0 at first, which is divided out:
    p ← p − η m / (1 − β₁^t) / (√(v / (1 − β₂^t)) + ε). A penalty on the weights shrinks them directly, as in AdamW
    (Loshchilov and Hutter 2019).
    """

    decouples_l2 = True
    β1, β2, ε = 0.9, 0.999, 1e-8

    def __init__(self, parameters: Array) -> None:
        self.m, self.v = np.zeros_like(parameters), np.zeros_like(parameters)
        self.t = np.zeros((), np.int64)
        self.state = {"m": self.m, "v": self.v, "t": self.t}
        self._room = np.empty(min(len(parameters), BLOCK), parameters.dtype)

    def step(self, parameters: Array, gradient: Array, learning_rate: float) -> None:
        """Take one step."""
        self.t += 1
        t = int(self.t)
        for p, g, m, v in _in_blocks(parameters, gradient, self.m, self.v):
            room = self._room[: len(g)]
            lerp_(m, g, 1 - self.β1, room)
            g *= g
            lerp_(v, g, 1 - self.β2, room)
            np.divide(v, 1 - self.β2**t, out=g)
            np.sqrt(g, out=g)
            g += self.ε
            np.divide(m, g, out=g)
            g *= learning_rate / (1 - self.β1**t)
            p -= g


def lerp_(mean: Array, value: Array, share: float, room: Array) -> None:
    """Let a running mean go this share of the way to a new value, in place: m ← m + s (x − m); ``room`` is like it."""
    for m, x, difference in _in_blocks(mean, value, room):
        np.subtract(x, m, out=difference)
        difference *= share
        m += difference


def _in_blocks(*vectors: Array) -> Iterable[tuple[Array, ...]]:
    """Vectors of one length, a block of each at a time: views."""
    length = len(vectors[0])
    if length <= BLOCK:  # no slices: a small network's step is over in microseconds
        return (vectors,)
    return (tuple(vector[start : start + BLOCK] for vector in vectors) for start in range(0, length, BLOCK))


ENTRIES: dict[str, Callable[[Array], Optimizer]] = {
    "sgd": lambda _: SGD(),
    "momentum": Momentum,
    "nesterov": lambda parameters: Momentum(parameters, nesterov=True),
    "adam": Adam,
}
"""The built-in entries of the registry in ``choices``: (flat vector of parameters) ↦ optimizer."""
