"""σ and σ′."""

from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_bp.core.choices import ACTIVATIONS, OUTPUT_ACTIVATIONS, activation

HIDDEN = ("sigmoid", "tanh", "relu", "leaky-relu")


@pytest.mark.parametrize(
    ("name", "z", "a", "derivative"),
    [
        ("sigmoid", 0.0, 0.5, 0.25),
        ("sigmoid", np.log(3.0), 0.75, 0.1875),
        ("sigmoid", -np.log(3.0), 0.25, 0.1875),
        ("tanh", 0.0, 0.0, 1.0),
        ("tanh", np.log(2.0), 0.6, 0.64),
        ("relu", 3.0, 3.0, 1.0),
        ("relu", -3.0, 0.0, 0.0),
        ("relu", 0.0, 0.0, 0.0),
        ("leaky-relu", 3.0, 3.0, 1.0),
        ("leaky-relu", -3.0, -0.03, 0.01),
        ("leaky-relu", 0.0, 0.0, 0.01),
    ],
)
def test_values_worked_by_hand(name: str, z: float, a: float, derivative: float) -> None:
    """σ(z) and σ′(z) at points where they are fractions; at a kink, from the left."""
    f, f_prime, *_ = ACTIVATIONS[name]

    assert f(np.array([[z]])) == pytest.approx(a, abs=1e-15)
    assert f_prime(f(np.array([[z]]))) == pytest.approx(derivative, abs=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", HIDDEN)
def test_no_input_overflows_or_warns(name: str, dtype: type[np.floating]) -> None:
    """From the smallest to the largest number, and at both infinities, σ is a number and nothing warns."""
    f, f_prime, *_ = ACTIVATIONS[name]
    limits = np.finfo(dtype)
    z = np.array([[-np.inf, limits.min, -1e3, -limits.tiny, 0, limits.tiny, 1e3, limits.max, np.inf]], dtype)

    with np.errstate(over="raise", invalid="raise", divide="raise"):
        a = f(z)
        derivative = f_prime(a)

    assert not np.isnan(a).any()
    assert not np.isnan(derivative).any()


def rounding_errors(values: NDArray[np.floating], exact: list[Decimal]) -> float:
    """The largest relative error of values, in units of their dtype's ε."""
    errors = [abs(Decimal(float(value)) / other - 1) for value, other in zip(values, exact, strict=True)]
    return float(max(errors)) / np.finfo(values.dtype).eps


@pytest.mark.parametrize(("dtype", "lowest"), [(np.float32, -87), (np.float64, -708)])
def test_sigmoid_and_its_slope_are_exact_far_below_zero(dtype: type[np.floating], lowest: float) -> None:
    """To 3 rounding errors."""
    f, f_prime, *_ = ACTIVATIONS["sigmoid"]
    z = np.linspace(lowest, 0, 301).astype(dtype)
    exact = [1 / (1 + (-Decimal(float(each))).exp()) for each in z]

    a = f(z)

    assert rounding_errors(a, exact) < 3
    assert rounding_errors(f_prime(a), [each * (1 - each) for each in exact]) < 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_above_zero_sigmoid_is_exact_and_its_slope_that_of_the_rounded_a(dtype: type[np.floating]) -> None:
    """a near 1 holds no more digits of 1 − a, and is 1 in the end, with slope 0."""
    f, f_prime, *_ = ACTIVATIONS["sigmoid"]
    z = np.linspace(0, 14, 301).astype(dtype)

    a = f(z)

    assert rounding_errors(a, [1 / (1 + (-Decimal(float(each))).exp()) for each in z]) < 3
    assert rounding_errors(f_prime(a), [Decimal(float(each)) * (1 - Decimal(float(each))) for each in a]) < 3
    assert (f(np.array([50], dtype)), f_prime(f(np.array([50], dtype)))) == (1, 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_sigmoid_stays_a_normal_number_below_its_exact_range(dtype: type) -> None:
    """It is small and not 0, and a product with it is not slowed down by subnormal numbers."""
    a = ACTIVATIONS["sigmoid"].f(np.array([-np.inf, -1e30, -1e3], dtype)).real

    assert (np.finfo(dtype).tiny <= a).all()
    assert (a <= 2 * np.finfo(dtype).tiny).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("name", [*HIDDEN, "softmax"])
def test_the_dtype_stays(name: str, dtype: type, rng: np.random.Generator) -> None:
    """An input in float32 does not give a result in float64."""
    f, f_prime, *_ = activation(name)

    a = f(rng.standard_normal((3, 4)).astype(dtype))

    assert a.dtype == dtype
    if name != "softmax":
        assert f_prime(a).dtype == dtype


@pytest.mark.parametrize("name", HIDDEN)
def test_the_derivative_is_what_a_complex_step_finds(name: str) -> None:
    """Im σ(z + ih) / h = σ′(z), away from kinks."""
    f, f_prime, *_ = ACTIVATIONS[name]
    z = np.linspace(-6, 6, 24).reshape(2, 12)

    assert np.imag(f(z + 1e-20j)) / 1e-20 == pytest.approx(f_prime(f(z)), rel=1e-12)


def test_a_complex_step_through_sigmoid_is_exact_in_both_tails() -> None:
    """σ′(±z) = e^−z / (1 + e^−z)², from 10^−260 to ¼."""
    z = np.linspace(-600, 600, 101)
    small = np.exp(-abs(z))

    slope = np.imag(ACTIVATIONS["sigmoid"].f(z + 1e-20j)) / 1e-20

    assert slope == pytest.approx(small / (1 + small) ** 2, rel=1e-14, abs=0)


def test_softmax_rows_are_probabilities_however_large_z_is() -> None:
    """Each row adds up to 1, and e^1000 is never computed."""
    a = OUTPUT_ACTIVATIONS["softmax"].f(np.array([[1000.0, 1000.0, -1000.0], [0.0, np.log(2.0), np.log(5.0)]]))

    assert a == pytest.approx(np.array([[1 / 2, 1 / 2, 0], [1 / 8, 2 / 8, 5 / 8]]))


def test_softmax_has_no_elementwise_derivative() -> None:
    """A derivative of softmax is NaN, so that its use does not pass unnoticed."""
    assert np.isnan(np.ones((1, 2)) * OUTPUT_ACTIVATIONS["softmax"].derivative(np.ones((1, 2)))).all()
