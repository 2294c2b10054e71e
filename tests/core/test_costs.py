"""C_0 and where backpropagation starts."""

import numpy as np
import pytest

from mnist_bp.core.choices import COSTS, OUTPUT_ACTIVATIONS


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
