"""Bounds of rounding and underflow errors."""

import numpy as np
import pytest

from mnist_bp import Network
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.gradcheck.noise import ROUNDING, UNDERFLOW, noise_bounds
from mnist_bp.gradcheck.steps import Steps


def small(activation: str = "sigmoid", cost: str = "squared-error", scale: float = 1) -> tuple[Network, Objective]:
    """Return 6-5-4-3, its weights times ``scale``, and seven examples."""
    rng = np.random.default_rng(0)
    network = Network([6, 5, 4, 3], activation=activation, cost=cost, rng=rng, dtype=np.float64)
    network.parameters *= scale
    return network, Objective(rng.random((7, 6)), np.eye(3)[rng.integers(0, 3, 7)])


def test_the_bounds_of_one_weight_by_hand() -> None:
    """z = wx + b; its error is that of the sum, and everything after passes on what came before."""
    network = Network([1, 1], rng=np.random.default_rng(0), dtype=np.float64)
    network.parameters[...] = w, b = 0.5, 0.1
    x, y = 0.8, 1.0
    a = 1 / (1 + np.exp(-(w * x + b)))
    slope = a * (1 - a)

    found = noise_bounds(network, Objective(np.array([[x]]), np.array([[y]])))

    δz = ROUNDING * (w * x + b)
    δa, δslope = slope * δz + ROUNDING, abs(slope * (1 - 2 * a)) * δz + ROUNDING
    dC_dz = 2 * (a - y) * slope
    δ = 2 * δa * slope + 2 * abs(a - y) * δslope + ROUNDING * (2 * (a + y) * slope + abs(dC_dz))
    assert found.gradient.vector == pytest.approx([x * δ, δ], rel=1e-3)
    assert found.costs == pytest.approx([ROUNDING * (1 + (a - y) ** 2) + abs(dC_dz) * δz], rel=1e-6)


@pytest.mark.parametrize("scale", [1, 30])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "leaky-relu"])
@pytest.mark.parametrize("cost", ["squared-error", "cross-entropy", "binary-cross-entropy"])
def test_weights_that_are_rounded_anew_give_a_gradient_within_the_bounds(
    cost: str, activation: str, scale: float
) -> None:
    """Weights that differ in the last bit stand for sums in another order."""
    network, objective = small(activation, cost, scale)
    bounds = noise_bounds(network, objective).gradient.vector
    gradient = objective.gradient(network).vector
    rng = np.random.default_rng(1)
    moved = network.astype(np.float64)
    differences = []
    for _ in range(20):
        ulps = rng.integers(-1, 2, len(network.parameters)) * np.finfo(np.float64).eps / 2
        moved.parameters = network.parameters * (1 + ulps)
        differences.append(np.abs(objective.gradient(moved).vector - gradient))

    assert (np.max(differences, axis=0) <= bounds).all()


def half_tanh(network: Network, X: np.ndarray, Y: np.ndarray) -> ParameterVector:
    """Return the gradient with ½ tanh ½z + ½ for the sigmoids, which is as right, but 0 or 1 where they are not."""
    σ = network.σ[1]._replace(f=lambda z: 0.5 * np.tanh(0.5 * z) + 0.5)
    other = network.astype(np.float64)
    other.σ = dict.fromkeys(network.σ, σ)
    return Steps()(other, X, Y)


def test_another_formula_for_a_saturated_sigmoid_is_within_the_bounds() -> None:
    """It is wrong by 100 % of a where a is tiny, and no function is wrong for that."""
    network, objective = small(scale=30)
    right, other = objective.gradient(network).vector, half_tanh(network, objective.X, objective.Y).vector
    bounds = noise_bounds(network, objective).gradient.vector

    assert (np.abs(right - other) > 1e-3 * np.abs(right)).any()
    assert (np.abs(right - other) <= bounds).all()


def test_a_relu_at_its_kink_up_to_rounding_may_be_on_or_off() -> None:
    """z = 0.1 + 0.2 − 0.3 is 5.6e-17 here, and 0 or negative in another order: its σ′ has an error of 1."""
    network = Network([3, 1, 2], activation="relu", rng=np.random.default_rng(0), dtype=np.float64)
    network.weights[0][...] = [[0.1, 0.2, -0.3]]
    objective = Objective(np.ones((1, 3)), np.eye(2)[[0]])

    bounds = noise_bounds(network, objective).gradient

    trace = objective.trace(network)
    dC_dA = Steps()(network, objective.X, objective.Y).b[2] @ network.W[2]
    assert 0 < trace.A[1].item() < 1e-16
    assert bounds.W[1] == pytest.approx(np.abs(dC_dA).repeat(3)[None], rel=1e-6)


def test_what_cancels_in_one_layer_is_lost_in_the_next() -> None:
    """z = 1e8 − 1e8 + 0.5 has the error of 2e8; the layer above passes it on, although its own sum is small."""
    network = Network([2, 1, 1], activation="leaky-relu", rng=np.random.default_rng(0), dtype=np.float64)
    network.parameters[...] = 0
    network.weights[0][...], network.biases[0][...], network.weights[1][...] = [[1e8, -1e8]], 0.5, 0.25
    objective = Objective(np.ones((1, 2)), np.zeros((1, 1)))
    a = network.forward(objective.X).item()

    bounds = noise_bounds(network, objective)

    slope = 2 * a * a * (1 - a)
    assert bounds.costs == pytest.approx([0.25 * ROUNDING * 2e8 * slope], rel=1e-3)
    assert bounds.gradient.W[2].item() > 0.9 * ROUNDING * 2e8 * slope


def test_no_bound_is_zero() -> None:
    """A sigmoid that has underflowed leaves a gradient of 0, and other programs one of 1e-300."""
    network, objective = small()
    network.biases[-1][...] = -800
    objective.Y[...] = 0

    bounds = noise_bounds(network, objective).gradient.vector

    assert (bounds >= UNDERFLOW).all()


def test_a_mean_over_equal_examples_has_the_bounds_of_one() -> None:
    """They are absolute errors of the mean."""
    network, objective = small()
    one = objective.with_inputs(objective.X[:1])
    many = objective.with_inputs(objective.X[[0] * 7])
    many.Y[...] = one.Y

    assert noise_bounds(network, many).gradient.vector == pytest.approx(
        noise_bounds(network, one).gradient.vector, rel=1e-9
    )
    assert noise_bounds(network, many).costs == pytest.approx(noise_bounds(network, one).costs.repeat(7))


def test_softmax_passes_on_the_errors_of_every_z() -> None:
    """An output depends on all of them: a bound that holds for each z alone is exceeded by all together."""
    network = Network([1, 3], cost="cross-entropy", rng=np.random.default_rng(0), dtype=np.float64)
    network.weights[0][...] = [[1e6], [1e6], [1e6 - 1]]
    objective = Objective(np.ones((1, 1)), np.eye(3)[[0]])
    a = network.forward(objective.X)[0]

    bounds = noise_bounds(network, objective).gradient.b[1]

    δz = ROUNDING * 1e6
    assert bounds == pytest.approx(2 * a * (1 - a) * δz, rel=2e-2)


def test_a_fresh_network_is_hardly_noisy() -> None:
    """The bounds are far below the tolerance of the check for nearly all derivatives."""
    network, objective = small()

    ratio = noise_bounds(network, objective).gradient.vector / np.abs(objective.gradient(network).vector)

    assert np.median(ratio) < 1e-12
