"""Worked examples of courses and books, with the values that they print.

Their conventions differ from ours and are translated in each test: a factor ½ of the squares, an L2 penalty with
another factor, weights in other orders.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_bp import Network
from mnist_bp.core.objective import Objective
from mnist_bp.core.optimizers import SGD
from mnist_bp.core.parameters import ParameterVector

Floats = NDArray[np.float64]


def network_of(weights: list[Floats], biases: list[Floats], **functions: str) -> Network:
    """A network in float64 with these parameters."""
    sizes = [weights[0].shape[1], *(len(W) for W in weights)]
    network = Network(sizes, rng=np.random.default_rng(0), dtype=np.float64, **functions)
    for own, given in zip([*network.weights, *network.biases], [*weights, *biases], strict=True):
        own[...] = given
    return network


def test_mazurs_example() -> None:
    """2-2-2, sigmoids: M. Mazur, "A Step by Step Backpropagation Example", 2015.

    His cost has a factor ½, so that ours is twice his and half his rate of 0.5 takes the same step. He leaves the
    biases out of the step, and rounds its result to 0.291027924.
    """
    network = network_of(
        [np.array([[0.15, 0.20], [0.25, 0.30]]), np.array([[0.40, 0.45], [0.50, 0.55]])],
        [np.full(2, 0.35), np.full(2, 0.60)],
    )
    example = [[0.05, 0.10]], [[0.01, 0.99]]

    cost, gradient = network.backpropagate(*example)
    for W, dC_dW in zip(network.weights, gradient.weights, strict=True):
        W -= 0.25 * dC_dW

    assert cost / 2 == pytest.approx(0.298371109, abs=5e-10)
    assert network.weights[1].ravel() == pytest.approx([0.35891648, 0.408666186, 0.511301270, 0.561370121], abs=5e-9)
    assert network.weights[0].ravel() == pytest.approx([0.149780716, 0.19956143, 0.24975114, 0.29950229], abs=5e-9)
    assert network.backpropagate(*example)[0] / 2 == pytest.approx(0.2910277737, abs=5e-11)


def test_the_toy_network_of_cs231n() -> None:
    """4-10-3, relus and softmax: Stanford CS231n, assignment 1, two_layer_net.ipynb.

    Its penalty is reg Σ w², ours λ/2 Σ w².
    """
    rng = np.random.RandomState(0)
    W1, W2 = 0.1 * rng.randn(4, 10), 0.1 * rng.randn(10, 3)
    X = 10 * np.random.RandomState(1).randn(5, 4)
    functions = {"activation": "relu", "cost": "cross-entropy"}
    network = network_of([W1.T, W2.T], [np.zeros(10), np.zeros(3)], **functions)

    cost = Objective(X, network.targets([0, 1, 2, 2, 1]), l2=2 * 0.05).cost(network).real

    assert cost == pytest.approx(1.30378789133, abs=5e-12)


COURSERA_GRADIENTS = {
    0: [
        [0.766138, 0.979897, -0.027540, -0.035844, -0.024929, -0.053862],
        [0.883417, 0.568762, 0.584668, 0.598139, 0.459314, 0.344618, 0.256313, 0.311885, 0.478337, 0.368920, 0.259771,
         0.322331],
    ],
    4: [
        [0.76614, 0.97990, 0.37246, 0.49749, 0.64174, 0.74614],
        [0.88342, 0.56876, 0.58467, 0.59814, 1.92598, 1.94462, 1.98965, 2.17855, 2.47834, 2.50225, 2.52644, 2.72233],
    ],
}  # fmt: skip
"""Gradients of both layers by λ."""


@pytest.mark.parametrize(("λ", "cost", "places"), [(0, 7.40697, 5), (4, 19.4736, 4)])
def test_the_test_case_of_coursera_exercise_4(λ: int, cost: float, places: int) -> None:
    """2-2-4, sigmoids and binary cross-entropy: A. Ng, "Machine Learning", test case of nnCostFunction.

    Its penalty is λ / 2m Σ w², with m = 3 examples. Its parameters are 0.1, …, 1.8, each layer a matrix by columns with
    the biases first.
    """
    Θ1, Θ2 = (np.arange(1, 19) / 10)[:6], (np.arange(1, 19) / 10)[6:]
    Θ1, Θ2 = Θ1.reshape(2, 3, order="F"), Θ2.reshape(4, 3, order="F")
    network = network_of([Θ1[:, 1:], Θ2[:, 1:]], [Θ1[:, 0], Θ2[:, 0]], cost="binary-cross-entropy")
    objective = Objective(np.cos([[1, 2], [3, 4], [5, 6]]), network.targets([3, 1, 2]), l2=λ / 3)

    gradient = objective.gradient(network)

    assert objective.cost(network).real == pytest.approx(cost, abs=0.5 * 10**-places)
    for dW, db, expected in zip(gradient.weights, gradient.biases, COURSERA_GRADIENTS[λ], strict=True):
        unrolled = np.column_stack([db, dW]).ravel(order="F")
        assert unrolled == pytest.approx(expected, abs=1e-6 if λ == 0 else 1e-5)


def nielsens_step(
    weights: list[Floats], biases: list[Floats], batch: list[tuple[Floats, Floats]], η: float, λ: float, n: int
) -> None:
    """Take a step as network2.py does: one example at a time, with columns, δ = a − y, and shrinking weights."""
    ΔW, Δb = [np.zeros_like(W) for W in weights], [np.zeros_like(b) for b in biases]
    for x, y in batch:
        a = [x]
        for W, b in zip(weights, biases, strict=True):
            a.append(1.0 / (1.0 + np.exp(-(W @ a[-1] + b))))
        δ = a[-1] - y
        for i in reversed(range(len(weights))):
            ΔW[i] += δ @ a[i].T
            Δb[i] += δ
            δ = (weights[i].T @ δ) * a[i] * (1 - a[i])
    for i in range(len(weights)):
        weights[i] = (1 - η * (λ / n)) * weights[i] - (η / len(batch)) * ΔW[i]
        biases[i] = biases[i] - (η / len(batch)) * Δb[i]


def test_a_step_of_nielsens_network2() -> None:
    """8-5-3, sigmoids and cross-entropy as he calls it, with λ = 5: M. Nielsen, "Neural Networks and Deep Learning".

    His penalty is λ / 2n Σ w², with n = 50 examples to train on.
    """
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((5, 8)) / 8**0.5, rng.standard_normal((3, 5)) / 5**0.5]
    biases = [rng.standard_normal((5, 1)), rng.standard_normal((3, 1))]
    X, labels = rng.random((10, 8)), rng.integers(3, size=10)
    network = network_of(weights, [b[:, 0] for b in biases], cost="binary-cross-entropy")

    gradient = Objective(X, network.targets(labels), l2=5 / 50).gradient(network)
    SGD().step(network.parameters, gradient.vector, 0.5)
    nielsens_step(
        weights, biases, [(x[:, None], np.eye(3)[:, [label]]) for x, label in zip(X, labels, strict=True)], 0.5, 5, 50
    )

    his = ParameterVector.empty(network.sizes, np.float64)
    for own, theirs in zip([*his.weights, *his.biases], [*weights, *(b[:, 0] for b in biases)], strict=True):
        own[...] = theirs
    assert network.parameters == pytest.approx(his.vector, rel=0, abs=1e-15)
