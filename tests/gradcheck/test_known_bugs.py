"""Known bugs: each is planted in one step of backpropagation, caught, and named again."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import mnist_bp.gradcheck
from mnist_bp import Network
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.core.objective import Objective
from mnist_bp.gradcheck.check import Reference, UserGradient
from mnist_bp.gradcheck.diagnose import diagnose
from mnist_bp.gradcheck.known_bugs import KNOWN_BUGS, Bug
from mnist_bp.gradcheck.steps import Steps

EVERY = list(product(ACTIVATIONS, COSTS))
BUGS = {bug.name: bug for bug in KNOWN_BUGS}
EXAMPLES, SIZES = 7, (9, 5, 5, 6)
X, Y = np.random.default_rng(1).random((EXAMPLES, 9)), np.eye(6)[[0, 3, 1, 1, 2, 5, 4]]


def network(activation: str = "sigmoid", cost: str = "squared-error") -> Network:
    """9-5-5-6: square images of 9 pixels, a square layer, none of its biases 0."""
    rng = np.random.default_rng(0)
    made = Network(SIZES, activation=activation, cost=cost, rng=rng, dtype=np.float64)
    for b in made.biases:
        b += rng.standard_normal(b.shape) / 4
    return made


NETWORK = network()
REFERENCE = Reference(NETWORK, Objective(X, Y), method="complex", rng=np.random.default_rng(0))


def said(bug: Bug, factor: float = 1, dtype: type = np.float64) -> str:
    """Return the diagnosis of a bug whose gradient is multiplied by a factor and rounded to a dtype."""

    def backpropagate(net: Network, X: NDArray, Y: NDArray) -> object:
        gradient = bug.gradient(net, X, Y)
        return gradient.like((factor * gradient.vector).astype(dtype).astype(np.float64))

    found = REFERENCE.check(UserGradient(X, Y, backpropagate=backpropagate))
    assert found.outcome == "failed"
    return "; ".join(diagnose(found, NETWORK, Objective(X, Y)))


@pytest.mark.parametrize("bug", KNOWN_BUGS, ids=BUGS)
def test_a_known_bug_is_named(bug: Bug) -> None:
    """Nothing is said of a factor if there is none."""
    words = said(bug)

    assert bug.sign in words
    assert words.startswith(bug.name) or bug.pattern
    assert "; besides, " not in words.split("; or: ")[0]


def is_a_factor(bug: Bug) -> bool:
    """Return True if the bug multiplies all derivatives, so that another factor makes another bug of it."""
    right, wrong = Objective(X, Y).gradient(NETWORK).vector, bug.gradient(NETWORK, X, Y).vector
    return bool(np.ptp(wrong / right) < 1e-9)


OTHERS = [bug for bug in KNOWN_BUGS if not is_a_factor(bug)]
SUM = "not divided by the 7 examples"


@pytest.mark.parametrize(
    ("factor", "dtype", "cause"),
    [
        (1 / 2, np.float64, "the factor 2 of the square dropped"),
        (EXAMPLES, np.float64, SUM),
        (-EXAMPLES / 2, np.float32, f"dropped and {SUM}"),
    ],
    ids=["½", "sum", "−½ sum in float32"],
)
@pytest.mark.parametrize("bug", OTHERS, ids=lambda bug: bug.name)
def test_a_known_bug_is_named_with_other_causes(bug: Bug, factor: float, dtype: type, cause: str) -> None:
    """A half; a sum in place of the mean; or both, a wrong sign and the rounding errors of float32: all are named."""
    words = said(bug, factor, dtype)

    if bug.name == "biases averaged twice" and factor != 1 / 2:  # then the biases are right, and the weights are not
        assert f"all of W1, W2 and W3 are 7 times too large: {SUM}" in words
    else:
        assert bug.sign in words
        assert cause in words
        assert ("of the wrong sign" in words) == (factor < 0) or bug.pattern


@pytest.mark.parametrize(("activation", "cost"), EVERY)
def test_backpropagation_in_steps_is_the_networks_own(activation: str, cost: str) -> None:
    """A replaced step is therefore the only difference from the right gradient."""
    net = network(activation, cost)

    in_steps = Steps()(net, X, Y)

    assert in_steps.vector == pytest.approx(Objective(X, Y).gradient(net).vector, rel=1e-11, abs=1e-17)


def test_a_bug_at_the_outputs_is_handed_down_and_one_below_is_not_handed_up() -> None:
    """In three layers, a wrong slope of hidden layers leaves the last layer right; one of the outputs affects all."""
    right = Objective(X, Y).gradient(NETWORK).named_arrays()

    def wrong(name: str) -> list[str]:
        arrays = BUGS[name].gradient(NETWORK, X, Y).named_arrays()
        return [array for array in right if arrays[array] != pytest.approx(right[array])]

    assert wrong("σ′ is left out in hidden layers") == ["W1", "b1", "W2", "b2"]
    assert wrong("σ′(a) is used for σ′(z) in hidden layers") == ["W1", "b1", "W2", "b2"]
    assert wrong("W is transposed where it carries the error back") == ["W1", "b1"]
    assert wrong("the error is carried back through weights that are already updated") == ["W1", "b1", "W2", "b2"]
    assert wrong("the activations of the layer itself are used for those of the layer before") == ["W2"]
    assert wrong("the biases' derivatives are row sums of dC_dW") == ["b1", "b2", "b3"]
    for name in ("σ′ is left out at the outputs", "σ′(a) is used for σ′(z) at the outputs"):
        assert wrong(name) == list(right)


def test_a_sigmoids_slope_by_hand() -> None:
    """With one layer: 2 (a − y), times what stands for σ′."""
    net = Network([9, 6], rng=np.random.default_rng(0), dtype=np.float64)
    a = net.forward(X)
    z = X @ net.weights[0].T + net.biases[0]
    slopes = {
        "σ′ is left out": 1,
        "σ′(a) is used for σ′(z)": np.exp(-a) / (1 + np.exp(-a)) ** 2,
        "z (1 − z) is used for σ′(z)": z * (1 - z),
        "1 − a is used for σ′(z)": 1 - a,
    }

    for name, slope in slopes.items():
        bias = BUGS[f"{name} everywhere"].gradient(net, X, Y).biases[0]
        assert bias == pytest.approx((slope * 2 * (a - Y)).mean(axis=0))


def test_the_manual_lists_all_of_them() -> None:
    """Its table has the name and the advice of each, in the order of the registry."""
    manual = (Path(mnist_bp.gradcheck.__file__).parent / "README.md").read_text(encoding="utf-8")
    table = manual.partition("| what the check names | what to do |\n| --- | --- |\n")[2].partition("\n\n")[0]

    assert table.splitlines() == [f"| {bug.name} | {bug.advice} |" for bug in KNOWN_BUGS]


def test_no_two_are_alike() -> None:
    """Each has a name of its own, by which tables list it, and another gradient; none gives the right one."""
    gradients = {bug.gradient(NETWORK, X, Y).vector.tobytes() for bug in KNOWN_BUGS}

    assert len({bug.name for bug in KNOWN_BUGS}) == len(KNOWN_BUGS)
    assert len(gradients | {Objective(X, Y).gradient(NETWORK).vector.tobytes()}) == len(KNOWN_BUGS) + 1


@pytest.mark.parametrize(("activation", "cost"), EVERY)
@pytest.mark.parametrize("sizes", [(2, 1), (3, 1, 2), (1, 1, 1)])
def test_every_bug_can_be_planted_in_any_network(sizes: tuple[int, ...], activation: str, cost: str) -> None:
    """A bug that is impossible leaves the right gradient; nothing fails."""
    net = Network(sizes, activation=activation, cost=cost, rng=np.random.default_rng(0), dtype=np.float64)

    for bug in KNOWN_BUGS:
        assert len(bug.gradient(net, np.ones((1, sizes[0])), np.ones((1, sizes[-1]))).vector) == len(net.parameters)
