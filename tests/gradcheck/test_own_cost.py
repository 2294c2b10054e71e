"""The user's own cost: any network whose cost is a function of weights, biases, x and y."""
# ruff: noqa: ARG002, ARG005, D102, D103

from pathlib import Path

import numpy as np
import pytest

from mnist_bp import Network
from mnist_bp.errors import InputError
from mnist_bp.gradcheck.checker import Checker
from mnist_bp.gradcheck.numerical_gradient import EPSILON
from mnist_bp.gradcheck.result import Verdict

SIZES = [6, 5, 4, 3]
RATE = 0.01
"""Coefficient of the L2 penalty."""


def layers(weights, biases, x):
    """Standardised inputs, relu, and linear outputs."""
    a = [(x - 0.5) / 0.25]
    for l, (W, b) in enumerate(zip(weights, biases, strict=True), 1):
        z = a[-1] @ W.T + b
        a.append(z if l == len(weights) else np.maximum(z, 0))
    return a


def cost(weights, biases, x, y):
    """With ½, the mean over the examples, and a penalty."""
    error = layers(weights, biases, x)[-1] - y
    return 0.5 * (error**2).sum() / len(x) + 0.5 * RATE * sum((W**2).sum() for W in weights)


def gradient(weights, biases, x, y):
    """The gradient of ``cost``."""
    a = layers(weights, biases, x)
    delta, dW, db = (a[-1] - y) / len(x), [], []
    for l in range(len(weights) - 1, -1, -1):
        dW.insert(0, delta.T @ a[l] + RATE * weights[l])
        db.insert(0, delta.sum(axis=0))
        delta = (delta @ weights[l]) * (a[l] > 0)
    return dW, db


def absolute_cost(weights, biases, x, y):
    """Not analytic: the sum of |a − y|."""
    return np.abs(layers(weights, biases, x)[-1] - y).sum() / len(x)


def absolute_gradient(weights, biases, x, y):
    a = layers(weights, biases, x)
    delta, dW, db = np.sign(a[-1] - y) / len(x), [], []
    for l in range(len(weights) - 1, -1, -1):
        dW.insert(0, delta.T @ a[l])
        db.insert(0, delta.sum(axis=0))
        delta = (delta @ weights[l]) * (a[l] > 0)
    return dW, db


def real_cost(weights, biases, x, y):
    """Not analytic: a float."""
    return float(cost(weights, biases, x, y))


def penalty_by_norm(weights, biases, x, y):
    """Not analytic, but only in a part of 0.01 % of the penalty, which a few random directions do not show."""
    analytic = cost(weights, biases, x, y)
    part = 0.5 * RATE * 1e-4
    return analytic + part * sum(np.linalg.norm(W) ** 2 - (W**2).sum() for W in weights)


class ByColumns:
    """A class with backprop and cost, one example a call."""

    def __init__(self, sizes):
        self.weights, self.biases = [], []

    def backprop(self, x, y):
        assert not np.iscomplexobj(self.weights[0])
        dW, db = gradient(self.weights, [b[:, 0] for b in self.biases], x.T, y.T)
        return [b[:, None] for b in db], dW

    def cost(self, x, y):
        return cost(self.weights, [b[:, 0] for b in self.biases], x.T, y.T)


def together(weights, biases, x, y):
    return cost(weights, biases, x, y), gradient(weights, biases, x, y)


def outcome(function, own, methods=("complex", "central")):
    """Check a function against a cost."""
    rng = np.random.default_rng(0)
    network = Network(SIZES, rng=rng, dtype=np.float64)
    network.parameters[...] = rng.standard_normal(len(network.parameters)) / 2
    X = rng.random((5, SIZES[0]))
    X[:, 0] = 0.5  # an input that does nothing
    return Checker(methods, function=function, cost_function=own).run(network, X, rng.integers(SIZES[-1], size=5))


@pytest.mark.parametrize(
    ("function", "own", "method"),
    [
        (gradient, cost, "complex"),
        (together, together, "complex"),
        (ByColumns, ByColumns, "complex"),
        (absolute_gradient, absolute_cost, "central"),
        (gradient, real_cost, "central"),
        (gradient, penalty_by_norm, "central"),
    ],
)
def test_a_right_gradient_of_any_cost_passes(function, own, method):
    """By a complex step where that gives the derivative, else by central differences; the Taylor test has order 2."""
    report = outcome(function, own)

    assert report.passed
    assert [check.method for check in report.checks] == [method]
    assert sum(array.checked for array in report.checks[0].arrays) == len(report.network.parameters)
    assert max(report.directions) < {"complex": 1e-10, "central": 1e-6}[method]
    if own is not absolute_cost:
        assert report.slopes == pytest.approx([2, 2, 2], abs=0.2)


@pytest.mark.parametrize("own", [cost, real_cost])
def test_a_wrong_gradient_fails_and_its_ratio_is_named(own):
    """A cost with another factor, and one array alone; causes that nothing supports are not named."""

    def doubled(weights, biases, x, y):
        return tuple([2 * array for array in part] for part in gradient(weights, biases, x, y))

    def one_bias(weights, biases, x, y):
        dW, db = gradient(weights, biases, x, y)
        return dW, [db[0], db[1] * [1, 1, 1, 1.0005], db[2]]

    assert outcome(doubled, own).diagnosis == ["all derivatives are 2 times those of the cost"]
    assert outcome(one_bias, own).diagnosis == ["1 of the 4 entries of b2 are wrong, by different ratios"]
    assert outcome(gradient, absolute_cost).outcome == "failed"


def test_a_step_across_a_kink_is_undecided():
    """Central differences say nothing about it."""
    rng = np.random.default_rng(0)
    network = Network(SIZES, rng=rng, dtype=np.float64)
    kink = float(network.biases[0][0]) + EPSILON / 3

    def kinked(weights, biases, x, y):
        return cost(weights, biases, x, y) + abs(float(biases[0][0]) - kink)

    def right(weights, biases, x, y):
        dW, db = gradient(weights, biases, x, y)
        db[0][0] -= 1
        return dW, db

    report = Checker(("central",), function=right, cost_function=kinked).run(
        network, rng.random((5, SIZES[0])), np.arange(5) % 3
    )

    assert report.outcome == "passed"
    assert report.checks[0].arrays[1].counts[Verdict.UNDECIDED] == 1


@pytest.mark.parametrize(
    ("own", "methods", "said"),
    [
        (absolute_cost, ("complex",), "absolute_cost is not analytic: use --method central"),
        (lambda weights, biases, x, y: np.inf, ("central",), "returned inf"),
        (lambda weights, biases, x, y: {"cost": 1.0}, ("central",), "returned dict; expected a number, the mean cost"),
        (
            lambda weights, biases, x, y: 1 // 0,
            ("central",),
            "raised ZeroDivisionError: .* with .weights, biases, x, y.",
        ),
        (lambda a, y: 0.0, ("central",), r"takes \(a, y\); expected \(weights, biases, x, y\)"),
    ],
)
def test_a_cost_that_cannot_be_used_is_an_error(own, methods, said):
    """One line says why."""
    with pytest.raises(InputError, match=said):
        outcome(gradient, own, methods)


def test_the_option_replaces_the_networks_cost(cli):
    """Command line, record, and the command that repeats the check."""
    source = Path(__file__).read_text(encoding="utf-8").partition("class ByColumns")[0]
    Path("mine.py").write_text(source, encoding="utf-8")
    options = ("--function", "mine:gradient", "--cost-function", "mine:cost", "--hidden", 3, "--examples", 3)

    right = cli("gradcheck", *options, "--json")
    wrong = cli("gradcheck", *options[:2], "--cost-function", "mine:absolute_cost", *options[4:])

    assert right.code == 0
    [record] = right.records
    assert (record["cost_function"], record["cost"], record["method"]) == ("mine:cost", None, "complex")
    assert "passed  mine:gradient on 784-3-10, mine:cost: 2,395 parameters verified" in right.err
    assert wrong.code == 1
    repeat = next(line for line in wrong.out.splitlines() if line.startswith("repeat"))
    assert " --cost-function=mine:absolute_cost" in repeat
    assert "--cost " not in repeat
    for more, said in (("--cost=cross-entropy", "leave out --cost"), ("--activation=relu", "leave out --activation")):
        refused = cli("gradcheck", *options, more)
        assert (refused.code, said in refused.err) == (2, True)
    assert "requires --function" in cli("gradcheck", *options[2:]).err
