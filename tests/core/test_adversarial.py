"""Adversarial examples of the fast gradient sign method."""

import numpy as np
import pytest

from mnist_bp.core.adversarial import adversarial_inputs
from mnist_bp.core.choices import COSTS
from mnist_bp.core.objective import Objective
from mnist_bp.network import Network


@pytest.mark.parametrize("cost", COSTS)
def test_each_input_moves_by_epsilon_in_the_direction_in_which_the_cost_rises(cost, rng):
    """Not clipped, and to first order the steepest of all moves of this size."""
    network = Network([8, 6, 3], cost=cost, activation="tanh", rng=rng, dtype=np.float64)
    X, Y = rng.random((5, 8)), np.eye(3)[[0, 1, 2, 1, 0]]
    before, dC_dX = network.input_gradient(X, Y)

    found = adversarial_inputs(network, Objective(X, Y), 1e-4)

    np.testing.assert_allclose(np.abs(found - X), 1e-4, rtol=1e-9)
    after, _ = network.input_gradient(found, Y)
    assert after - before == pytest.approx(1e-4 * np.abs(dC_dX).sum(), rel=1e-2)


def test_an_input_without_effect_stays(rng):
    """Its derivative is 0, which has no sign."""
    network = Network([4, 3, 2], rng=rng, dtype=np.float64)
    network.W[1][:, 2] = 0
    X = rng.random((3, 4))

    found = adversarial_inputs(network, Objective(X, np.eye(2)[[0, 1, 1]]), 0.3)

    assert (found[:, 2] == X[:, 2]).all()
    assert (found != X)[:, [0, 1, 3]].all()
