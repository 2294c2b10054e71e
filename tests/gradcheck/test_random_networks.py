"""Random networks: no right gradient is called wrong, ours or PyTorch's, and bugs are still caught.

PyTorch's gradients of 5,000 networks were recorded by ``tests/support/record_torch_gradients.py``. A run of the tests
checks a seventh of them, or all with ``MNIST_BP_NETWORK_STEP=1``.
"""

import hashlib
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from random_networks import FUNCTIONS, ORDINARY, SATURATED, SELECTED, random_network, random_sizes, selected

from mnist_bp import Network
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.gradcheck.check import Reference, UserGradient
from mnist_bp.gradcheck.known_bugs import KNOWN_BUGS
from mnist_bp.gradcheck.noise import UNDERFLOW
from mnist_bp.gradcheck.numerical_gradient import numerical_gradient
from mnist_bp.gradcheck.result import Verdict

STEP = int(os.environ.get("MNIST_BP_NETWORK_STEP", "7"))
"""Distance of the networks that are checked. It has no divisor in common with the numbers below and the functions."""

IN_TURNS = 12
"""Every twelfth known bug is planted in each network, so that each of them is planted in over 80 of all networks."""

BY_DIFFERENCES = 10
"""Every tenth network is checked by central differences, too."""


@pytest.fixture(scope="module")
def torch() -> dict[str, NDArray]:
    """PyTorch's gradients: all derivatives of the saturated networks, and some of the ordinary ones."""
    with np.load(Path(__file__).with_name("torch_gradients.npz")) as archive:
        return dict(archive)


def networks(number: int, *, is_saturated: bool, step: int = 1) -> Iterator[tuple[int, Network, Objective]]:
    """Yield the number, the network and the mini-batch of each."""
    for i in range(0, number, step):
        yield i, *random_network(i, is_saturated=is_saturated)


def parameters(i: int, *, is_saturated: bool) -> int:
    """Return the number of parameters of a network."""
    sizes, _ = random_sizes(i, is_saturated=is_saturated)
    return sum((n + 1) * m for n, m in pairwise(sizes))


def in_parts(recorded: NDArray, lengths: list[int]) -> list[NDArray]:
    """Split what was recorded of all networks into the part of each."""
    assert sum(lengths) == len(recorded)
    return np.split(recorded, np.cumsum(lengths)[:-1])


def test_the_networks_are_those_of_the_recording(torch: dict[str, NDArray]) -> None:
    """To the last bit, with every activation and cost."""
    checksum = hashlib.sha256()
    for number, is_saturated in ((SATURATED, True), (ORDINARY, False)):
        for _, network, objective in networks(number, is_saturated=is_saturated):
            checksum.update(network.parameters.tobytes() + objective.X.tobytes())

    assert checksum.hexdigest() == str(torch["checksum"])
    assert {functions[:2] for functions in FUNCTIONS} == {
        (activation, cost) for activation in ACTIVATIONS for cost in COSTS
    }


def returning(recorded: ParameterVector, objective: Objective) -> UserGradient:
    """Return the objective with the recorded gradient of its mini-batch, and with ours on the dense one."""

    def backpropagate(network: Network, X: NDArray, Y: NDArray) -> ParameterVector:
        return recorded if X is objective.X else Objective(X, Y).gradient(network)

    return UserGradient(objective.X, objective.Y, backpropagate=backpropagate)


def test_no_right_gradient_of_a_saturated_network_is_called_wrong(
    torch: dict[str, NDArray], capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights are 8 to 32 times as large as fresh ones: nothing fails, bugs do, and few derivatives stay undecided."""
    recorded = in_parts(torch["saturated"], [parameters(i, is_saturated=True) for i in range(SATURATED)])
    above = undecided = planted = 0
    for i, network, objective in networks(SATURATED, is_saturated=True, step=STEP):
        theirs = network.parameter_vector.like(recorded[i])
        for method in ("central", "complex") if i % BY_DIFFERENCES == 0 else ("complex",):
            reference = Reference(network, objective, method=method, rng=np.random.default_rng(i))
            for right in (objective, returning(theirs, objective)):
                assert reference.check(right).outcome in {"passed", "undecided"}, (i, method)

        found = reference.check(objective)
        g, n, verdict = (each.vector for each in (found.gradient, found.numerical, found.verdict))
        is_above = np.maximum(np.abs(g), np.abs(n)) > UNDERFLOW
        above += np.count_nonzero(is_above)
        undecided += np.count_nonzero(is_above & (verdict == Verdict.UNDECIDED))

        is_verified = (verdict == Verdict.VERIFIED) & found.here.vector
        for bug in KNOWN_BUGS[i % IN_TURNS :: IN_TURNS]:
            wrong = bug.gradient(network, objective.X, objective.Y)
            if is_verified.any() and changes(g[is_verified], wrong.vector[is_verified]):
                planted += 1
                assert reference.check(returning(wrong, objective)).outcome == "failed", (i, bug.name)

    with capsys.disabled():
        shares = f"{undecided / above:.1%} of {above:,} derivatives above {UNDERFLOW:g} undecided"
        print(f" {shares}, {planted:,} bugs caught ", end="")  # noqa: T201 - a measurement
    assert undecided <= 0.05 * above
    assert planted > 1_800 // STEP


def changes(right: NDArray, wrong: NDArray) -> bool:
    """Return True if a derivative changes by 0.01 % of itself, and by 1e-9 of the largest one or of 1."""
    change = np.abs(wrong - right)
    size = np.maximum(np.abs(wrong), np.abs(right))
    return bool(((change > 1e-4 * size) & (change > 1e-9 * max(1, np.abs(right).max()))).any())


def test_ordinary_networks_agree_with_torch_within_the_noise(torch: dict[str, NDArray]) -> None:
    """Relative to the bound of each derivative: the median is below 1, and the largest ratio as well."""
    lengths = [min(SELECTED, parameters(i, is_saturated=False)) for i in range(ORDINARY)]
    recorded = in_parts(torch["ordinary"], lengths)
    ratios = []
    for i, network, objective in networks(ORDINARY, is_saturated=False, step=STEP):
        chosen = ParameterVector.zeros(network.sizes, np.bool_)
        indices = selected(i, len(network.parameters))
        chosen.vector[indices] = True
        numerical = numerical_gradient(network, objective, method="complex", epsilon=1e-5, chosen=chosen)
        ours = objective.gradient(network).vector[indices]
        is_smooth = ~numerical.kinks.vector[indices]
        for gradient in (recorded[i], ours):
            difference = np.abs(gradient - numerical.values.vector[indices])
            ratios.append((difference / numerical.noise.vector[indices])[is_smooth])

    assert np.median(np.concatenate(ratios)) <= 1
    assert np.concatenate(ratios).max() <= 1
