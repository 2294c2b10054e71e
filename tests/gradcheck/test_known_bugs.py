"""Backpropagation with known bugs."""

from itertools import product

import numpy as np
import pytest

from mnist_bp import Network
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.core.objective import Objective
from mnist_bp.gradcheck.known_bugs import KNOWN_BUGS, WHOLE_GRADIENTS, right_slope, with_slopes

EVERY = list(product(ACTIVATIONS, COSTS))
X, Y = np.random.default_rng(1).random((7, 6)), np.eye(4)[[0, 3, 1, 1, 2, 0, 3]]


def network(activation: str = "sigmoid", cost: str = "squared-error") -> Network:
    """6-5-5-4."""
    return Network([6, 5, 5, 4], activation=activation, cost=cost, rng=np.random.default_rng(0), dtype=np.float64)


@pytest.mark.parametrize(("activation", "cost"), EVERY)
def test_without_a_mistake_it_is_the_networks_own_gradient(activation: str, cost: str) -> None:
    """Each known bug is therefore the only difference from the right gradient."""
    net = network(activation, cost)

    written_out = with_slopes(right_slope, right_slope)(net, X, Y)

    assert written_out.vector == pytest.approx(Objective(X, Y).gradient(net).vector, rel=1e-11, abs=1e-17)


def test_a_mistake_at_the_outputs_is_handed_down_and_one_below_is_not_handed_up() -> None:
    """In three layers, a wrong slope of hidden layers leaves the last layer right; one of the outputs affects all."""
    net = network()
    right = Objective(X, Y).gradient(net).named_arrays()

    def wrong(sentence: str) -> list[str]:
        arrays = WHOLE_GRADIENTS[sentence](net, X, Y).named_arrays()
        return [name for name in right if arrays[name] != pytest.approx(right[name])]

    assert wrong("σ′ is left out in hidden layers") == ["W1", "b1", "W2", "b2"]
    assert wrong("σ′(a) is used for σ′(z) in hidden layers") == ["W1", "b1", "W2", "b2"]
    assert wrong("W is transposed where it carries the error back") == ["W1", "b1"]
    for sentence in ("σ′ is left out at the outputs", "σ′(a) is used for σ′(z) at the outputs"):
        assert wrong(sentence) == list(right)


def test_a_sigmoids_slope_is_left_out_or_taken_at_a() -> None:
    """With one layer by hand: 2 (a − y), and the same times σ′(a) = σ(a) (1 − σ(a))."""
    net = Network([6, 4], rng=np.random.default_rng(0), dtype=np.float64)
    a = net.forward(X)
    again = 1 / (1 + np.exp(-a))

    for mistake, slope in (("σ′ is left out", 1), ("σ′(a) is used for σ′(z)", again * (1 - again))):
        bias = WHOLE_GRADIENTS[f"{mistake} everywhere"](net, X, Y).biases[0]
        assert bias == pytest.approx((slope * 2 * (a - Y)).mean(axis=0))


def test_there_are_eighteen_and_no_two_alike() -> None:
    """Each has a name of its own, by which tables list it, and another gradient; none gives the right one."""
    net = network()

    gradients = {bug.gradient(net, X, Y).vector.tobytes() for bug in KNOWN_BUGS}

    assert len({bug.name for bug in KNOWN_BUGS}) == len(KNOWN_BUGS) == 18
    assert len(gradients | {Objective(X, Y).gradient(net).vector.tobytes()}) == 19
