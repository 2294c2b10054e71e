"""The cost that training makes smaller, and its gradient."""

import numpy as np
import pytest

from mnist_bp import Network
from mnist_bp.core.network import forward
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.core.regularization import l2_penalty


@pytest.fixture
def network(rng: np.random.Generator) -> Network:
    """5-4-3."""
    return Network([5, 4, 3], rng=rng, dtype=np.float64)


@pytest.fixture
def objective(rng: np.random.Generator) -> Objective:
    """Six examples, half of the hidden neurons left out, and a penalty."""
    return Objective(rng.random((6, 5)), np.eye(3)[[0, 2, 1, 1, 0, 2]], {1: 2.0 * (rng.random((6, 4)) < 0.5)}, 0.1)


def test_the_cost_is_the_mean_of_the_examples_and_the_penalty(network: Network, objective: Objective) -> None:
    """Under the same masks; the penalty is not averaged."""
    trace = forward(network, objective.X, masks=objective.masks)
    squares = ((trace.A[2] - objective.Y) ** 2).sum(axis=1)

    cost = objective.cost(network)

    assert isinstance(cost, complex)
    assert cost == pytest.approx(squares.mean() + l2_penalty(network, 0.1))


def test_a_known_forward_pass_and_room_for_the_result_are_used(network: Network, objective: Objective) -> None:
    """The trace is believed, and the result is where the caller wants it, the penalty's part included."""
    wanted = objective.gradient(network)
    room = ParameterVector.zeros(network.sizes, np.float64)
    elsewhere = objective.with_inputs(np.zeros((6, 5)))

    found = elsewhere.gradient(network, objective.trace(network), out=room)

    assert found is room
    assert (room.vector == wanted.vector).all()


def test_other_inputs_go_with_the_first_targets_and_masks(objective: Objective) -> None:
    """A layer without a mask stays without; the penalty stays."""
    four = objective.with_inputs(np.ones((4, 5)))

    assert four.X.tolist() == [[1] * 5] * 4
    assert four.Y.tolist() == objective.Y[:4].tolist()
    assert list(four.masks) == [1]
    assert four.masks[1].tolist() == objective.masks[1][:4].tolist()
    assert four.l2 == 0.1
    assert Objective(objective.X, objective.Y).with_inputs(np.ones((4, 5))).masks is None
