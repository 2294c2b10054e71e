"""The gradient by nudging: what it finds, and what it says of its own precision."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_bp import Network
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.gradcheck.noise import noise_bounds
from mnist_bp.gradcheck.numerical_gradient import NumericalGradient, numerical_gradient

METHODS = ("complex", "central")


def nudged(network: Network, objective: Objective, method: str, epsilon: float = 1e-5) -> NumericalGradient:
    """Every parameter of the network nudged."""
    everything = ParameterVector(network.sizes, np.ones(len(network.parameters), bool))
    return numerical_gradient(network, objective, method=method, epsilon=epsilon, chosen=everything)


@pytest.fixture
def network(rng: np.random.Generator) -> Network:
    """6-5-4-3."""
    return Network([6, 5, 4, 3], activation="tanh", rng=rng, dtype=np.float64)


@pytest.fixture
def batch(rng: np.random.Generator) -> Objective:
    """Seven examples."""
    return Objective(rng.random((7, 6)), np.eye(3)[rng.integers(0, 3, 7)])


@pytest.mark.parametrize("method", METHODS)
def test_how_many_go_through_at_a_time_does_not_matter(
    method: str, network: Network, batch: Objective, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In portions of four, the last one not full, or all at once: the same sums, to the rounding of a cost by ε."""
    at_once = nudged(network, batch, method)
    monkeypatch.setattr("mnist_bp.gradcheck.numerical_gradient.PAIRS_AT_ONCE", 4)

    in_portions = nudged(network, batch, method)

    assert in_portions.values.vector == pytest.approx(at_once.values.vector, rel=1e-12)
    assert in_portions.noise.vector == pytest.approx(at_once.noise.vector, rel=0.05, abs=1e-16 / 1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_kink_concerns_only_the_weights_whose_nudge_reaches_it(method: str) -> None:
    """z = 0 in the first example, which has no second input: the weight of that input meets no kink."""
    network = Network([2, 1, 2], activation="relu", rng=np.random.default_rng(0), dtype=np.float64)
    network.weights[0][...], network.biases[0][...] = 1, -1

    kinks = nudged(network, Objective(np.array([[1.0, 0], [0, 2]]), np.eye(2)), method).kinks

    assert kinks.weights[0].tolist() == [[True, False]]
    assert kinks.biases[0].tolist() == [True]
    assert not kinks.blocks[1].any()


def test_a_complex_step_loses_nothing_of_a_large_penalty(network: Network, batch: Objective) -> None:
    """With weights around 1,000, where central differences lose ten digits: λ w, to the last ones."""
    network.parameters *= 1_000
    penalized = replace(batch, l2=0.5)

    assert nudged(network, penalized, "complex").values.vector == pytest.approx(
        penalized.gradient(network).vector, rel=1e-13, abs=1e-12
    )


@pytest.mark.parametrize("method", METHODS)
def test_what_a_penalty_loses_grows_with_it(method: str, network: Network, batch: Objective) -> None:
    """Twice the λ, twice the noise that comes from it; none for a bias, which has no penalty."""
    network.parameters *= 1_000
    without, small, large = (nudged(network, replace(batch, l2=l2), method).noise for l2 in (0.0, 0.1, 0.2))

    for i in range(3):
        once = small.weights[i] - without.weights[i]
        assert (once > 0).all()
        assert large.weights[i] - without.weights[i] == pytest.approx(2 * once, rel=1e-6)
        assert (large.biases[i] == without.biases[i]).all()


@pytest.mark.parametrize("epsilon", [1e-1, 1e-6])
def test_the_noise_of_a_central_difference_by_hand(epsilon: float) -> None:
    """The noise is the difference from twice the step and from a parabola, and the noise of a cost over the step."""
    network = Network([1, 1], rng=np.random.default_rng(0), dtype=np.float64)
    network.parameters[...] = w, b = 0.5, 0.1
    x, y = 0.8, 1.0
    objective = Objective(np.array([[x], [0]]), np.ones((2, 1)))

    def C(w: float) -> float:
        return float((1 / (1 + np.exp(-(w * x + b))) - y) ** 2)

    found = nudged(network, objective, "central", epsilon)

    slope, longer = ((C(w + h) - C(w - h)) / (2 * h) for h in (epsilon, 2 * epsilon))
    bend = C(w + 2 * epsilon) + C(w - 2 * epsilon) - 4 * C(w + epsilon) - 4 * C(w - epsilon) + 6 * C(w)
    bounds = noise_bounds(network, objective)
    by_hand = (abs(slope - longer) + abs(bend) / epsilon + bounds.costs[0] / epsilon) / 2
    assert found.values.weights[0].item() == pytest.approx(slope / 2, rel=1e-9)
    assert found.noise.weights[0].item() - found.rounding.weights[0].item() == pytest.approx(by_hand, rel=0.1)
    assert found.rounding.vector.tolist() == bounds.gradient.vector.tolist()


def test_the_noise_of_a_complex_step_is_that_of_rounding(network: Network, batch: Objective) -> None:
    """It has no step that matters."""
    found = nudged(network, batch, "complex")

    assert found.noise.vector.tolist() == found.rounding.vector.tolist()


@pytest.mark.parametrize("x", [1e5, 1e9])
def test_a_central_difference_over_a_jump_of_the_cost_decides_nothing(x: float) -> None:
    """A sigmoid of x w is a jump: slopes over both steps may be alike, and far from the derivative."""
    network = Network([1, 1], rng=np.random.default_rng(0), dtype=np.float64)
    network.parameters[...] = 1e-5 / x, 0
    objective = Objective(np.array([[x]]), np.zeros((1, 1)))

    found = nudged(network, objective, "central", 1e-4)

    assert found.noise.weights[0].item() == np.inf
    assert found.noise.biases[0].item() < 1e-6
