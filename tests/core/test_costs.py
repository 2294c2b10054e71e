"""C_0 and where backpropagation starts."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

from mnist_bp.core.choices import ACTIVATIONS, COSTS, OUTPUT_ACTIVATIONS, activation


def test_squared_error_has_no_half() -> None:
    """(0.66 − 1)² + (0.2 − 0)² = 0.1156 + 0.04, of the lesson's own numbers."""
    A, Y = np.array([[0.66, 0.2]]), np.array([[1.0, 0.0]])

    assert COSTS["squared-error"].per_example(A, A, Y) == pytest.approx([0.1556])


def test_squared_error_starts_with_two_times_the_difference() -> None:
    """∂C_0/∂z = σ′(z) · 2 (a − y): 0.66 · 0.34 · 2 · (−0.34) and 0.2 · 0.8 · 2 · 0.2."""
    A, Y = np.array([[0.66, 0.2]]), np.array([[1.0, 0.0]])

    dC_dZ = COSTS["squared-error"].dC_dZ(A, Y, A * (1 - A))

    assert dC_dZ == pytest.approx(np.array([[-0.152592, 0.064]]))


def test_cross_entropy_is_minus_the_log_of_the_wanted_output() -> None:
    """Outputs 1/8, 2/8, 5/8: the cost of wanting the last one is ln 8/5."""
    Z = np.log([[1.0, 2.0, 5.0]])

    cost = COSTS["cross-entropy"].per_example(Z, OUTPUT_ACTIVATIONS["softmax"].f(Z), np.array([[0.0, 0.0, 1.0]]))

    assert cost == pytest.approx([np.log(8 / 5)])


def test_cross_entropy_stays_finite_where_the_output_is_zero() -> None:
    """With z 1000 below the largest, softmax gives 0, whose log is −∞; the cost is 1000 all the same.

    And no other example's z has a part in it.
    """
    Z = np.array([[1000.0, 0.0], [0.0, 0.0]])
    A = OUTPUT_ACTIVATIONS["softmax"].f(Z)

    assert A[0, 1] == 0
    assert COSTS["cross-entropy"].per_example(Z, A, np.array([[0.0, 1.0]] * 2)) == pytest.approx([1000.0, np.log(2)])


@pytest.mark.parametrize("z", [1.0, 1e3, 1e6])
def test_the_small_cost_of_a_confident_output_does_not_depend_on_the_size_of_z(z: float) -> None:
    """With z 6 above the other, the cost is ln (1 + e^−6) = 0.00248, to the last digits of float32."""
    Z, Y = np.array([[z, z - 6]], np.float32), np.array([[1, 0]], np.float32)

    cost = COSTS["cross-entropy"].per_example(Z, OUTPUT_ACTIVATIONS["softmax"].f(Z), Y)

    assert cost == pytest.approx([np.log1p(np.exp(-6))], rel=3e-5)


def test_with_cross_entropy_the_error_is_a_minus_y() -> None:
    """The softmax's own derivatives cancel against those of the logarithm."""
    A, Y = np.array([[0.125, 0.25, 0.625]]), np.array([[0.0, 0.0, 1.0]])

    dC_dZ = COSTS["cross-entropy"].dC_dZ(A, Y, np.nan * A)

    assert dC_dZ == pytest.approx(np.array([[0.125, 0.25, -0.375]]))


def test_binary_cross_entropy_adds_two_logarithms_for_each_output() -> None:
    """Outputs 3/4 and 1/4, both wanted at 1, and 1/4 at 0.3: ln 4/3 + ln 4 + 0.3 ln 4 + 0.7 ln 4/3."""
    Z, Y = np.log([[3, 1 / 3, 1 / 3]]), np.array([[1.0, 1.0, 0.3]])

    cost = COSTS["binary-cross-entropy"].per_example(Z, ACTIVATIONS["sigmoid"].f(Z), Y)

    assert cost == pytest.approx([1.7 * np.log(4 / 3) + 1.3 * np.log(4)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_binary_cross_entropy_is_exact_for_sure_outputs_right_or_wrong(dtype: type[np.floating]) -> None:
    """ln (1 + e^−z) and ln (1 + e^z), from 10^−35 to 80, although a is 1 from z = 17 or 37 on."""
    z = np.linspace(-80, 80, 161).astype(dtype)
    with localcontext(prec=60):
        exact = [[(1 + (sign * Decimal(float(each))).exp()).ln() for each in z] for sign in (1, -1)]

    for y, costs in enumerate(exact):
        Z, Y = z[:, np.newaxis], np.full((161, 1), y, dtype)
        found = COSTS["binary-cross-entropy"].per_example(Z, ACTIVATIONS["sigmoid"].f(Z), Y)
        assert found.dtype == dtype
        assert found == pytest.approx(np.array(costs, np.float64), rel=4 * float(np.finfo(dtype).eps), abs=0)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("far", [1e3, 1e30])
def test_no_cost_overflows_or_warns(cost: str, far: float) -> None:
    """Right and sure, an example costs 0; wrong and sure, much, but a finite number."""
    Z, Y = np.array([[far, -far], [-far, far]], np.float32), np.array([[1, 0], [1, 0]], np.float32)

    with np.errstate(all="raise", under="ignore"):
        costs = COSTS[cost].per_example(Z, activation(COSTS[cost].output_activation).f(Z), Y)

    assert costs[0] == 0
    assert 1 <= costs[1] < np.inf


@pytest.mark.parametrize("cost", COSTS)
def test_where_backpropagation_starts_is_the_derivative_of_the_cost(cost: str, rng: np.random.Generator) -> None:
    """Im C_0(z_j + ih) / h, also for z that are 30 from 0."""
    entry, σ = COSTS[cost], activation(COSTS[cost].output_activation)
    Z, Y = 10 * rng.standard_normal((20, 3)), rng.dirichlet(np.ones(3), 20)

    start = entry.dC_dZ(σ.f(Z), Y, σ.derivative(σ.f(Z)))

    for j in range(3):
        nudged = Z + 1e-20j * np.eye(3)[j]
        slope = entry.per_example(nudged, σ.f(nudged), Y).imag / 1e-20
        assert start[:, j] == pytest.approx(slope, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("cost", COSTS)
def test_the_cost_at_chance_is_that_of_outputs_which_are_the_frequencies(cost: str) -> None:
    """The mean over examples of each class, in those frequencies; no other constant output costs less."""
    p, entry = np.array([0.6, 0.3, 0.1]), COSTS[cost]
    inverse = np.log(p) if cost == "cross-entropy" else np.log(p / (1 - p))

    def mean_cost(z: np.ndarray) -> float:
        Z = np.tile(z, (3, 1))
        return float(p @ entry.per_example(Z, activation(entry.output_activation).f(Z), np.eye(3)))

    assert entry.at_chance
    assert entry.at_chance(p) == pytest.approx(mean_cost(inverse), rel=1e-12)
    assert all(mean_cost(inverse + d) > entry.at_chance(p) for d in np.vstack([np.eye(3), -np.eye(3)]) / 100)
