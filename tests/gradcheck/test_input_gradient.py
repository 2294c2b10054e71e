"""The check of ∂C/∂x: right everywhere, with dropout, and a bug in it is found."""

from itertools import product

import numpy as np
import pytest

from mnist_bp.core import objective as objective_module
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.core.objective import Objective
from mnist_bp.core.regularization import draw_masks
from mnist_bp.gradcheck.check import UserGradient, check
from mnist_bp.gradcheck.checker import Checker
from mnist_bp.gradcheck.diagnose import INPUTS_ARE_WRONG, diagnose
from mnist_bp.gradcheck.noise import noise_bounds
from mnist_bp.gradcheck.result import Verdict
from mnist_bp.network import Network

SIZES = (30, 8, 7, 4)
METHODS = ("complex", "central")


def network(activation="tanh", cost="squared-error", sizes=SIZES):
    """A network none of whose biases is 0."""
    rng = np.random.default_rng(2)
    made = Network(sizes, activation=activation, cost=cost, rng=rng, dtype=np.float64)
    for b in made.biases:
        b += rng.standard_normal(b.shape) / 4
    return made


def mini_batch(masks=None):
    """Twelve examples, in which a third of the inputs is 0."""
    rng = np.random.default_rng(3)
    X = rng.random((12, SIZES[0])) * (rng.random((12, SIZES[0])) > 1 / 3)
    return Objective(X, np.eye(4)[rng.integers(4, size=12)], masks)


def checked(made, objective, method="complex", **settings):
    """The check with the random numbers of seed 0."""
    return check(made, objective, method=method, rng=np.random.default_rng(0), **settings)


@pytest.mark.parametrize(("activation", "cost"), list(product(ACTIVATIONS, COSTS)))
@pytest.mark.parametrize("sizes", [SIZES, (30, 4)])
def test_every_input_is_verified_also_dark_ones(activation, cost, sizes):
    """By both methods; a dark pixel has a derivative, too. The first number in a result is the example."""
    for method in METHODS:
        found = checked(network(activation, cost, sizes), mini_batch(), method).inputs

        assert (found.name, found.shape, found.checked) == ("a0", (12, 30), 360)
        assert found.counts[Verdict.FAILED] == found.counts[Verdict.ZERO] == 0
        assert found.counts[Verdict.VERIFIED] >= (360 if method == "complex" else 330)
        assert found.max_relative_error <= (1e-10 if method == "complex" else 1e-6)


def test_inputs_that_dropout_masks_verify_nothing():
    """They are 0 on both sides; the others are verified through the same masks."""
    masks = draw_masks(SIZES, 12, rate=0.3, input_rate=0.4, rng=np.random.default_rng(1), dtype=np.float64)
    found = checked(network(), mini_batch(masks)).inputs

    dropped = int((masks[0] == 0).sum())
    assert dropped > 50
    assert found.counts[Verdict.ZERO] == dropped
    assert found.nonzero == found.counts[Verdict.VERIFIED] == 360 - dropped


def test_larger_mini_batches_are_sampled():
    """At most 500 inputs, the same ones for the same seed."""
    big = mini_batch().with_inputs(np.random.default_rng(4).random((40, 30)))
    one, other = (checked(network(), big).inputs for _ in range(2))
    assert (one.entries, one.checked, one.counts[Verdict.SKIPPED]) == (1200, 500, 700)
    assert one == other


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
@pytest.mark.parametrize("scale", [1, 30, 1000])
def test_a_saturated_network_does_not_fail(activation, scale):
    """Errors that rounding hides are undecided: the bounds follow the errors back to the inputs."""
    made = network(activation)
    made.parameters *= scale
    for method in METHODS:
        assert checked(made, mini_batch(), method).failed_inputs == 0


def test_the_bound_of_rounding_holds_for_another_order_of_summation():
    """Neurons in another order give another rounding, which is within the bound, and not far from it."""
    made, objective = network("sigmoid"), mini_batch()
    right, bound = objective.input_gradient(made), noise_bounds(made, objective).inputs
    shuffled = made.astype(np.float64)
    order = np.random.default_rng(5).permutation(8)
    shuffled.W[1][...], shuffled.b[1][...] = made.W[1][order], made.b[1][order]
    shuffled.W[2][...] = made.W[2][:, order]
    difference = np.abs(objective.input_gradient(shuffled) - right)
    assert (difference <= bound).all()
    assert bound.max() < 1e-12


BUGS = {
    "a tenth of a percent": lambda dC_dX: dC_dX * 1.001,
    "the mean forgotten": lambda dC_dX: dC_dX * len(dC_dX),
    "σ′ of a layer that has none": lambda dC_dX: dC_dX * 0.25,
    "the sign": lambda dC_dX: -dC_dX,
    "one input shifted": lambda dC_dX: np.roll(dC_dX, 1, axis=1),
    "examples exchanged": lambda dC_dX: dC_dX[::-1],
    "one pixel": lambda dC_dX: dC_dX * (np.arange(dC_dX.shape[1]) != 7),
    "nothing written": lambda dC_dX: dC_dX * 0,
    "not a number": lambda dC_dX: dC_dX * np.nan,
}


@pytest.mark.parametrize("bug", BUGS)
@pytest.mark.parametrize("method", METHODS)
def test_a_bug_in_the_last_step_back_is_found_and_named(monkeypatch, bug, method):
    """Although every derivative by a parameter is right: the check fails, and says where."""
    right = objective_module.backward

    def wrong(net, trace, Y, *, out=None, dC_dX=None):
        gradient = right(net, trace, Y, out=out, dC_dX=dC_dX)
        if dC_dX is not None:
            dC_dX[...] = BUGS[bug](dC_dX.copy())
        return gradient

    monkeypatch.setattr(objective_module, "backward", wrong)
    made, objective = network(), mini_batch()

    found = checked(made, objective, method)

    assert (found.outcome, found.passed, found.has_failed_parameters) == ("failed", False, False)
    assert found.failed_inputs > 0
    (sentence,) = diagnose(found, made, objective)
    assert sentence.startswith(INPUTS_ARE_WRONG)


def test_a_users_function_returns_none_and_is_not_checked_for_it():
    """Its results are what they were."""
    made, objective = network(), mini_batch()
    user = UserGradient(objective.X, objective.Y, backpropagate=lambda net, X, Y: Objective(X, Y).gradient(net))
    found = checked(made, user)
    assert found.inputs is None
    assert found.passed


def test_the_report_fails_with_its_inputs(monkeypatch):
    """Also if only the second method finds the bug."""
    labels = mini_batch().Y.argmax(axis=1)
    report = Checker(METHODS).run(network(), mini_batch().X, labels)
    assert report.passed
    monkeypatch.setattr(Objective, "input_gradient", lambda self, _: np.zeros_like(self.X))
    report = Checker(METHODS).run(network(), mini_batch().X, labels)
    assert (report.outcome, report.failed.method) == ("failed", "complex")
    assert len(report.diagnosis) == 1
