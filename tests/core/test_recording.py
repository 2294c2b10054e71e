"""The recorded form of backpropagation computes the numbers of ``network.py``, to the bit."""

from itertools import product

import numpy as np
import pytest

from mnist_bp import Network
from mnist_bp.core.activations import Activation
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.core.network import backward, forward
from mnist_bp.core.recording import NotRecordable, RecordedGradient


def network(sizes, **functions):
    """Return a network with random weights."""
    return Network(sizes, rng=np.random.default_rng(0), **functions)


def record(net, n, masks=None):
    """Return buffers for n examples, the recorded gradient, and the vector that it writes."""
    X, Y = np.empty((n, net.sizes[0]), net.dtype), np.empty((n, net.sizes[-1]), net.dtype)
    gradient = net.parameter_vector.like(np.empty_like(net.parameters))
    return X, Y, RecordedGradient(net, X, Y, gradient, masks or {}), gradient


@pytest.mark.parametrize(("activation", "cost"), list(product(ACTIVATIONS, COSTS)))
def test_a_recorded_gradient_equals_the_page_of_mathematics_to_the_bit(activation, cost):
    """Every entry of the registries, also after steps, for one example, for one neuron, and in both precisions."""
    rng = np.random.default_rng(1)
    for sizes, n, dtype in product([(30, 10), (30, 1, 10), (50, 16, 12, 10)], [1, 2, 10, 37], ["float32", "float64"]):
        net = network(sizes, activation=activation, cost=cost, dtype=dtype)
        X, Y, compute, gradient = record(net, n)
        for _ in range(3):
            X[...] = rng.random(X.shape)
            Y[...] = np.eye(10)[rng.integers(10, size=n)]
            compute()
            trace = forward(net, X)
            expected = backward(net, trace, Y).vector
            assert np.array_equal(gradient.vector, expected)
            assert np.array_equal(compute.Z, trace.Z)
            net.parameters -= 0.5 * expected


@pytest.mark.parametrize(("activation", "cost"), list(product(ACTIVATIONS, COSTS)))
@pytest.mark.parametrize("layers", [{0}, {1, 2}, {0, 1, 2}])
def test_a_recorded_gradient_with_dropout_equals_it_to_the_bit(activation, cost, layers):
    """Each call takes the masks that are in the buffers."""
    rng = np.random.default_rng(1)
    net = network((50, 16, 12, 10), activation=activation, cost=cost, dtype="float32")
    masks = {l: np.empty((7, net.sizes[l]), np.float32) for l in layers}
    X, Y, compute, gradient = record(net, 7, masks)
    X[...], Y[...] = rng.random(X.shape), np.eye(10)[rng.integers(10, size=7)]
    for _ in range(3):
        for mask in masks.values():
            mask[...] = (rng.random(mask.shape) > 0.4) / 0.6
        compute()
        trace = forward(net, X, masks=masks)
        assert np.array_equal(gradient.vector, backward(net, trace, Y).vector)
        assert np.array_equal(compute.Z, trace.Z)


def test_numbers_in_an_activation_keep_their_meaning():
    """A mask of bools times 2.0 is not a mask of bools."""
    net = network((5, 4, 3), dtype="float64")
    net.σ[1] = Activation(lambda z: (z > 0) * 2.0 + 0.5 * z, lambda a: np.where(a > 1, a, 3))
    X, Y, compute, gradient = record(net, 6)
    X[...], Y[...] = 0.5, 1.0

    compute()

    assert np.array_equal(gradient.vector, backward(net, forward(net, X), Y).vector)


def test_linear_outputs_can_be_recorded():
    """They belong to the Python API."""
    net = network((5, 4, 3), output_activation="identity")
    X, Y, compute, gradient = record(net, 6)
    X[...], Y[...] = 0.5, 1.0

    compute()

    assert np.array_equal(gradient.vector, backward(net, forward(net, X), Y).vector)


@pytest.mark.parametrize(
    "f",
    [
        lambda z: z.clip(0),
        lambda z: np.clip(z, 0, None),
        np.sort,
        lambda z: z**2,
        lambda z: z - z.max(),
        lambda z: z[:],
    ],
)
def test_an_operation_that_cannot_be_recorded_is_refused_by_name(f):
    """Otherwise, its result for the first mini-batch would be used for all of them."""
    net = network((5, 4, 3))
    net.σ[1] = Activation(f, lambda a: a)
    with pytest.raises(NotRecordable, match=r"clip|sort|power|reduce|subscriptable"):
        record(net, 2)
