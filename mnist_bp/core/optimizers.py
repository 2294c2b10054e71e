"""Optimizers, which turn a gradient into a step.

Each optimizer updates all parameters in place and overwrites ``gradient``. Its ``state`` holds the arrays that it keeps
from step to step, by name: with them and the parameters, a stopped training resumes bit for bit.
"""

from collections.abc import Callable, Iterable
from functools import partial
from math import sqrt
from typing import Protocol

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.constants import MOMENTUM

__all__ = ["ENTRIES", "SGD", "Adam", "Momentum", "Optimizer", "flush_subnormal_", "lerp_"]

BLOCK = 1 << 15
"""Number of parameters that a step updates at a time. A step makes several passes over up to five arrays, and their
blocks should fit in a core's cache together. In smaller blocks, the overhead of calling numpy would dominate."""


class Optimizer(Protocol):
    """Interface of an optimizer.

    Attributes
    ----------
    state
        Arrays that the optimizer keeps from step to step. They are created once and changed in place.
    decouples_l2
        True if L2 regularization shrinks the weights directly instead of adding to the gradient.
    """

    state: dict[str, Array]
    decouples_l2: bool

    def step(self, parameters: Array, gradient: Array, learning_rate: float) -> None:
        """Take one step. ``parameters`` and ``gradient`` are flat vectors; η, the learning rate, is positive."""


class SGD:
    """Gradient descent: p ← p − η g. It is stochastic if g is the gradient of a mini-batch's mean cost.

    The squared error here has no factor ½; with one, the same steps would need 2 η.
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
    """Gradient descent with momentum: v ← μ v + g, p ← p − η v (Polyak 1964).

    With ``nesterov``, p ← p − η (g + μ v): Nesterov's accelerated gradient (1983), in the form of Bengio,
    Boulanger-Lewandowski and Pascanu (2013).
    """

    decouples_l2 = False

    def __init__(self, parameters: Array, *, momentum: float = MOMENTUM, nesterov: bool = False) -> None:
        self.μ, self.nesterov = momentum, nesterov
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
    """Adam, which scales each parameter's step by its own gradients (Kingma and Ba 2015, with their β₁, β₂ and ε).

    The step is p ← p − η m̂ / (√v̂ + ε), where m̂ and v̂ are means of g and g² over all steps so far. The weight of a
    gradient falls by β₁, or β₂, with each step. The state holds the weighted sums, m ← β₁ m + g and v ← β₂ v + g², and
    the means are these divided by the sums of the weights: M = 1 + β₁ + … + β₁^(t−1) = (1 − β₁^t) / (1 − β₁), and V
    likewise. (The paper's m and v are (1 − β₁) m and (1 − β₂) v; its m̂ and v̂ are the same.) L2 regularization shrinks
    the weights directly, as in AdamW (Loshchilov and Hutter 2019).
    """

    decouples_l2 = True
    β1, β2, ε = 0.9, 0.999, 1e-8

    def __init__(self, parameters: Array) -> None:
        self.m, self.v = np.zeros_like(parameters), np.zeros_like(parameters)
        self.t = np.zeros((), np.int64)
        self.state = {"m": self.m, "v": self.v, "t": self.t}

    def step(self, parameters: Array, gradient: Array, learning_rate: float) -> None:
        """Take one step."""
        self.t += 1
        M, V = ((1 - β ** int(self.t)) / (1 - β) for β in (self.β1, self.β2))
        ε, η = self.ε * sqrt(V), learning_rate * sqrt(V) / M
        for p, g, m, v in _in_blocks(parameters, gradient, self.m, self.v):
            m *= self.β1
            m += g
            v *= self.β2
            g *= g
            v += g
            np.sqrt(v, out=g)
            g += ε
            np.divide(m, g, out=g)  # m̂ / (√v̂ + ε) · M / √V
            g *= η
            p -= g


def flush_subnormal_(numbers: Array) -> None:
    """Set subnormal numbers to 0, in place.

    They are what is left of sums of gradients that have been 0 for some 800 steps, as of pixels that are seldom
    bright. They no longer change a parameter, but a processor takes up to 100 times as long to compute with them.
    """
    if numbers.dtype.kind == "f":
        numbers[np.abs(numbers) < np.finfo(numbers.dtype).tiny] = 0


def lerp_(mean: Array, value: Array, weight: float, buffer: Array) -> None:
    """Move a running mean towards a new value, in place: m ← m + weight (x − m). ``buffer`` is like ``mean``."""
    for m, x, difference in _in_blocks(mean, value, buffer):
        np.subtract(x, m, out=difference)
        difference *= weight
        m += difference


def _in_blocks(*vectors: Array) -> Iterable[tuple[Array, ...]]:
    """Yield corresponding blocks of vectors of equal length, as views."""
    length = len(vectors[0])
    if length <= BLOCK:  # slicing would be slow compared with a small network's step, which takes microseconds
        return (vectors,)
    return (tuple(vector[start : start + BLOCK] for vector in vectors) for start in range(0, length, BLOCK))


ENTRIES: dict[str, Callable[..., Optimizer]] = {
    "sgd": lambda _: SGD(),
    "momentum": Momentum,
    "nesterov": partial(Momentum, nesterov=True),
    "adam": Adam,
}
"""Built-in entries of the registry in ``choices``: (flat vector of parameters) ↦ optimizer. Those that
``choices.MOMENTUM_OPTIMIZERS`` names have the keyword ``momentum``, the coefficient μ, 0 to below 1."""
