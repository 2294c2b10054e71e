"""Random networks and mini-batches, saturated or not, which are the same with every version of numpy.

They are drawn with ``Generator.random`` alone, whose stream does not change, and use only operations that are rounded
correctly everywhere.
"""

import math
from itertools import product

import numpy as np

from mnist_bp import Network
from mnist_bp.core.inputs import checked_functions
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector

FUNCTIONS = [
    *product(
        ("sigmoid", "tanh", "relu", "leaky-relu"), ("squared-error", "cross-entropy", "binary-cross-entropy"), [None]
    ),
    *product(("sigmoid", "tanh", "relu", "leaky-relu"), ["squared-error"], ["identity"]),
]
"""Activations, costs and output activations, in turns."""

EXAMPLES = (1, 2, 5, 23, 60)
SATURATED, ORDINARY = 1_000, 4_000
"""Numbers of networks."""

SELECTED = 6
"""Largest number of derivatives of an ordinary network that are recorded."""


def random_sizes(number: int, *, is_saturated: bool) -> tuple[list[int], np.random.Generator]:
    """Return the sizes of one of the networks, with 0 to 3 hidden layers, and the generator that draws the rest.

    One network in forty is wider.
    """
    rng = np.random.default_rng([number, int(is_saturated)])
    widest = 16 if number % 40 == 39 else 5
    sizes = [whole(1, widest, rng) for _ in range(1 + number // len(FUNCTIONS) % 4)]
    return [*sizes, whole(2, 4, rng)], rng


def whole(least: int, most: int, rng: np.random.Generator) -> int:
    """Draw a whole number."""
    return least + int(rng.random() * (most - least + 1))


def random_network(number: int, *, is_saturated: bool) -> tuple[Network, Objective]:
    """Return one of the networks, and a mini-batch of 1 to 60 examples for it.

    Its weights are as large as those of a fresh network, or 8 to 32 times as large. Every other one has biases. Some of
    the inputs are 0.
    """
    sizes, rng = random_sizes(number, is_saturated=is_saturated)
    activation, cost, outputs = FUNCTIONS[number % len(FUNCTIONS)]
    parameters = ParameterVector.zeros(sizes, np.float64)
    scale = whole(8, 32, rng) if is_saturated else 1
    gain = 2 if "relu" in activation else 1
    for l, W in parameters.W.items():
        W[...] = (2 * rng.random(W.shape) - 1) * (scale * math.sqrt(3 * gain / W.shape[1]))
        parameters.b[l][...] = (2 * rng.random(W.shape[0]) - 1) * (scale / 2 * (number % 2))
    n = EXAMPLES[whole(0, len(EXAMPLES) - 1, rng)]
    X = rng.random((n, sizes[0])) * (rng.random((n, sizes[0])) < 0.6)
    Y = np.eye(sizes[-1])[(rng.random(n) * sizes[-1]).astype(int)]
    return Network.of(parameters, checked_functions(activation, cost, outputs)), Objective(X, Y)


def selected(number: int, parameters: int) -> np.ndarray:
    """Return the indices of the derivatives of an ordinary network that are recorded."""
    rng = np.random.default_rng([number, 2])
    return np.sort(np.argsort(rng.random(parameters), kind="stable")[:SELECTED])
