"""Initial weights and biases: their distributions, by name."""

import numpy as np
import pytest

from mnist_bp.core.choices import INITIALIZATIONS
from mnist_bp.errors import InputError
from mnist_bp.network import Network

SIZES = (784, 200, 100, 10)


def made(name, **functions):
    """A network with these initial weights."""
    return Network(SIZES, rng=np.random.default_rng(3), dtype=np.float64, weight_init=name, **functions)


def test_glorot_is_uniform_with_the_papers_limits():
    """±√6 / √(n_{l−1} + n_l), a variance of 2 / (n_{l−1} + n_l); biases 0."""
    for W, b in zip(made("glorot").weights, made("glorot").biases, strict=True):
        limit = (6 / sum(W.shape)) ** 0.5
        assert 0.99 * limit < np.abs(W).max() <= limit
        assert W.var() == pytest.approx(2 / sum(W.shape), rel=0.1)
        assert not b.any()


def test_he_has_variance_two_over_fan_in():
    """In every layer, also the first; biases 0."""
    for W, b in zip(made("he").weights, made("he").biases, strict=True):
        assert W.var() == pytest.approx(2 / W.shape[1], rel=0.1)
        assert np.abs(W).max() > 2.5 * W.std()  # not uniform
        assert not b.any()


def test_normal_is_standard_normal_for_weights_and_biases():
    """Whatever the width."""
    for W, b in zip(made("normal").weights, made("normal").biases, strict=True):
        assert W.std() == pytest.approx(1, rel=0.1)
        assert b.any()
    assert made("normal").biases[0].std() == pytest.approx(1, rel=0.15)


def test_the_default_is_scaled():
    """Without a name, the weights are those of "scaled" to the bit."""
    usual = Network(SIZES, rng=np.random.default_rng(3), dtype=np.float64)
    assert usual.parameters.tobytes() == made("scaled").parameters.tobytes()


@pytest.mark.parametrize("name", INITIALIZATIONS)
def test_equal_generators_draw_equal_weights_in_every_type(name):
    """float32 weights are the rounded float64 ones, and every parameter is set."""
    single = Network(SIZES, rng=np.random.default_rng(3), dtype=np.float32, weight_init=name)
    np.testing.assert_allclose(single.parameters, made(name).parameters, rtol=1e-6, atol=1e-5)


def test_an_unknown_name_is_refused_with_the_known_ones():
    """In the Python API."""
    with pytest.raises(InputError, match="unknown initialization 'xavier'; known: scaled, glorot, he, normal"):
        made("xavier")
