"""σ and σ′."""

import numpy as np
import pytest

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


def test_softmax_rows_are_probabilities_however_large_z_is() -> None:
    """Each row adds up to 1, and e^1000 is never computed."""
    a = OUTPUT_ACTIVATIONS["softmax"].f(np.array([[1000.0, 1000.0, -1000.0], [0.0, np.log(2.0), np.log(5.0)]]))

    assert a == pytest.approx(np.array([[1 / 2, 1 / 2, 0], [1 / 8, 2 / 8, 5 / 8]]))


def test_softmax_has_no_elementwise_derivative() -> None:
    """A derivative of softmax is NaN, so that its use does not pass unnoticed."""
    assert np.isnan(np.ones((1, 2)) * OUTPUT_ACTIVATIONS["softmax"].derivative(np.ones((1, 2)))).all()
