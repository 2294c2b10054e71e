"""The gradient check."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_bp import Network
from mnist_bp.core.diagnosis import diagnose, worst_entries
from mnist_bp.core.gradcheck import (
    Check,
    Verdict,
    check,
    direction_errors,
    own_backpropagation,
    taylor_slopes,
)
from mnist_bp.core.layers import LayeredVector, lesson_name
from mnist_bp.core.mistakes import MISTAKES, Mistake
from mnist_bp.core.numerical import network_cost, numerical_gradient
from mnist_bp.data.datasets import Examples
from mnist_bp.training.loop import train
from mnist_bp.training.recipe import Hyperparameters, default_learning_rate

EVERY = list(product(("sigmoid", "tanh", "relu", "leaky-relu"), ("squared-error", "cross-entropy")))
METHODS = ("complex", "central")


def lessons_network(activation: str = "sigmoid", cost: str = "squared-error") -> Network:
    """784-16-16-10, none of its biases 0."""
    rng = np.random.default_rng(0)
    network = Network([784, 16, 16, 10], activation=activation, cost=cost, rng=rng, dtype=np.float64)
    for b in network.biases:
        b += rng.standard_normal(b.shape) / 4
    return network


@pytest.fixture
def batch(few_digits: tuple[Examples, Examples]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Twenty synthetic digits and their one-hot rows."""
    examples = few_digits[0].first(20)
    return examples.inputs(np.float64), np.eye(10)[examples.labels]


def checked(network: Network, batch: tuple, method: str = "complex", **settings: object) -> Check:
    """A check with the random numbers of seed 0."""
    return check(network, *batch, method=method, rng=np.random.default_rng(0), **settings)


def count(found: Check, verdict: Verdict) -> int:
    """How many derivatives got this verdict."""
    return int(np.count_nonzero(found.verdict.vector == verdict))


@pytest.mark.parametrize(("activation", "cost"), EVERY)
def test_a_fresh_network_is_verified_to_the_last_digits(activation: str, cost: str, batch: tuple) -> None:
    """Complex step: nothing fails, the median agrees to 1e-14, and every verified entry to 1e-10."""
    found = checked(lessons_network(activation, cost), batch)

    errors = found.error.vector[found.verdict.vector == Verdict.VERIFIED]
    assert found.passed
    assert len(errors) > 10_000
    assert np.median(errors) <= 1e-14
    assert errors.max() <= 1e-10


@pytest.mark.parametrize(("activation", "cost"), EVERY)
@pytest.mark.parametrize("method", METHODS)
def test_a_trained_network_passes(
    activation: str, cost: str, method: str, batch: tuple, few_digits: tuple[Examples, Examples]
) -> None:
    """Neurons saturate and derivatives get tiny; what rounding hides is undecided, and nothing fails."""
    network = lessons_network(activation, cost).astype(np.float32)
    sets = [(examples.inputs(np.float32), examples.labels) for examples in few_digits]
    rate = default_learning_rate(activation, cost)
    for _ in train(network, *sets, Hyperparameters(epochs=15, batch_size=10, learning_rate=rate, seed=0)):
        pass

    found = checked(network.astype(np.float64), batch, method)

    assert count(found, Verdict.FAILED) == 0
    assert count(found, Verdict.VERIFIED) > 3_000
    errors = found.error.vector[found.verdict.vector == Verdict.VERIFIED]
    assert np.median(errors) <= (1e-14 if method == "complex" else 1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_entries_that_are_zero_here_are_tried_on_a_dense_mini_batch(method: str, batch: tuple) -> None:
    """Over half of the derivatives are 0 because a pixel is dark; none of them is left unverified for that."""
    found = checked(lessons_network(), batch, method)

    dark = int((batch[0] == 0).all(axis=0).sum()) * 16
    assert dark > 3_000
    assert len(found.nonzero.vector) - np.count_nonzero(found.nonzero.vector) == dark
    assert count(found, Verdict.ZERO) == 0


def test_both_ways_to_nudge_agree_with_nudging_the_whole_network(rng: np.random.Generator) -> None:
    """The short cut (only z_j moves) gives what moving one parameter and computing everything anew gives."""
    network = Network([6, 5, 4, 3], activation="tanh", rng=rng, dtype=np.float64)
    X, Y = rng.random((7, 6)), np.eye(3)[rng.integers(0, 3, 7)]
    everything = LayeredVector(network.sizes, np.ones(len(network.parameters), bool))
    nudged = network.astype(np.complex128)
    plain = np.empty(len(network.parameters))
    for i in range(len(plain)):
        nudged.parameters[i] += 1e-20j
        plain[i] = network_cost(nudged, X, Y).imag / 1e-20
        nudged.parameters[i] = network.parameters[i]

    for method, tolerance in (("complex", 1e-12), ("central", 1e-7)):
        found = numerical_gradient(network, X, Y, method=method, epsilon=1e-5, chosen=everything)
        assert found.values.vector == pytest.approx(plain, rel=tolerance, abs=1e-11)


@pytest.mark.parametrize("method", METHODS)
def test_no_false_alarm_over_many_networks_with_kinks(method: str) -> None:
    """1,000 random relu and leaky-relu networks: nudges that cross or start at a kink are recognised as such."""
    kinks = 0
    for seed in range(1_000):
        rng = np.random.default_rng(seed)
        activation, cost = ("relu", "leaky-relu")[seed % 2], ("squared-error", "cross-entropy")[seed // 2 % 2]
        network = Network([5, 4, 3, 2], activation=activation, cost=cost, rng=rng, dtype=np.float64)
        X, Y = np.round(rng.standard_normal((6, 5)), 1), np.eye(2)[rng.integers(0, 2, 6)]
        found = check(network, X, Y, method=method, rng=rng, epsilon=1e-3 if method == "central" else 1e-5)
        assert count(found, Verdict.FAILED) == 0, (seed, activation, cost)
        kinks += count(found, Verdict.KINK)

    assert kinks > 0


@pytest.mark.parametrize("method", METHODS)
def test_a_neuron_exactly_at_its_kink_is_no_failure(method: str) -> None:
    """z = 0 and a relu: there is no derivative, whatever either side says."""
    network = Network([2, 1, 2], activation="relu", rng=np.random.default_rng(0), dtype=np.float64)
    network.weights[0][...] = [[1, -1]]
    network.weights[1][...] = [[2], [-1]]

    found = checked(network, (np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]])), method)

    assert count(found, Verdict.FAILED) == 0
    assert count(found, Verdict.KINK) == 3


def test_an_absolute_difference_is_never_a_pass() -> None:
    """A gradient of 1e-12 times nothing like the right one is excused by rounding at most; it verifies nothing."""
    network = Network([3, 4, 2], rng=np.random.default_rng(0), dtype=np.float64)
    network.weights[1][...] *= 1e-14  # the first layer hardly matters

    def sign_flipped(network: Network, X: NDArray, Y: NDArray) -> LayeredVector:
        gradient = own_backpropagation(network, X, Y)
        gradient.blocks[0][...] *= -1
        return gradient

    found = check(
        network,
        np.ones((1, 3)),
        np.eye(2)[[0]],
        method="central",
        rng=np.random.default_rng(0),
        backpropagate=sign_flipped,
    )

    first_layer = found.verdict.blocks[0]
    assert (first_layer == Verdict.UNDECIDED).all()


def test_float32_is_not_good_enough_for_checking(batch: tuple) -> None:
    """Without any mistake, float32 backpropagation fails: that is why the check promotes to float64."""

    def in_float32(network: Network, X: NDArray, Y: NDArray) -> LayeredVector:
        single = own_backpropagation(network.astype(np.float32), X.astype(np.float32), Y.astype(np.float32))
        return single.like(single.vector.astype(np.float64))

    assert not checked(lessons_network(), batch, backpropagate=in_float32).passed


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_every_planted_mistake_is_caught_and_named(mistake: Mistake, batch: tuple) -> None:
    """Eighteen of eighteen, down to a layer that is 0.05 % too large; and the diagnosis says which one it is."""
    network = lessons_network()

    found = checked(network, batch, backpropagate=mistake.gradient)

    assert not found.passed
    assert any(mistake.sign in said for said in diagnose(found, network, *batch))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_central_differences_catch_every_planted_mistake_too(mistake: Mistake, batch: tuple) -> None:
    """The lesson's own nudge is good enough for that."""
    assert not checked(lessons_network(), batch, "central", backpropagate=mistake.gradient).passed


def test_there_are_eighteen_mistakes_and_no_two_alike(batch: tuple) -> None:
    """Each gives another gradient, and none the right one."""
    network = lessons_network()

    gradients = {mistake.gradient(network, *batch).vector.tobytes() for mistake in MISTAKES}

    assert len(MISTAKES) == 18
    assert len(gradients | {own_backpropagation(network, *batch).vector.tobytes()}) == 19


def test_a_right_gradient_has_no_diagnosis(batch: tuple) -> None:
    """There is nothing to say."""
    network = lessons_network()

    assert diagnose(checked(network, batch), network, *batch) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda g: g.weights[1].__imul__(-1), "all of W2 are of the wrong sign"),
        (lambda g: g.vector.__imul__(-3), "all derivatives are of the wrong sign and 3 times too large"),
        (
            lambda g: g.vector.__itruediv__(20),
            "all derivatives are 20 times too small: divided by the 20 examples twice?",
        ),
        (lambda g: g.weights[1].__setitem__(..., g.weights[1].T.copy()), "W2 is transposed"),
        (lambda g: g.biases[2].fill(0), "all of b3 are 0"),
    ],
)
def test_other_mistakes_are_named_by_their_numbers(change: object, said: str, batch: tuple) -> None:
    """A ratio that all entries share, a transposition, a zero."""

    def changed(network: Network, X: NDArray, Y: NDArray) -> LayeredVector:
        gradient = own_backpropagation(network, X, Y)
        change(gradient)
        return gradient

    network = lessons_network()
    found = checked(network, batch, backpropagate=changed)

    assert diagnose(found, network, *batch) == [said]


def test_a_mistake_without_a_pattern_is_counted(batch: tuple) -> None:
    """Where no known mistake fits, the diagnosis says how many entries are wrong, and claims no more."""

    def noisy(network: Network, X: NDArray, Y: NDArray) -> LayeredVector:
        gradient = own_backpropagation(network, X, Y)
        gradient.weights[2][...] *= 1 + np.random.default_rng(1).random(gradient.weights[2].shape)
        return gradient

    network = lessons_network()
    found = checked(network, batch, backpropagate=noisy)

    assert diagnose(found, network, *batch) == ["160 of the 160 entries of W3 are wrong, in no common ratio"]


def test_the_worst_entries_have_their_names_in_the_lesson_and_both_values(batch: tuple) -> None:
    """w_{4,7}^(2), doubled, stands first."""

    def doubled(network: Network, X: NDArray, Y: NDArray) -> LayeredVector:
        gradient = own_backpropagation(network, X, Y)
        gradient.weights[1][4, 7] *= 2
        return gradient

    found = checked(lessons_network(), batch, backpropagate=doubled)

    [entry] = worst_entries(found)
    assert entry.name == "w_{4,7}^(2)"
    assert entry.backprop == pytest.approx(2 * entry.numerical)
    assert entry.relative_error == pytest.approx(0.5)


def test_names_in_the_lessons_notation() -> None:
    """Arrays count layers from 1, indices start at 0."""
    assert lesson_name("W1", (3, 45)) == "w_{3,45}^(1)"
    assert lesson_name("b3", (9,)) == "b_{9}^(3)"


def test_a_sample_is_drawn_from_each_array_by_itself(batch: tuple) -> None:
    """At most so many entries of each, so that no small array is forgotten."""
    found = checked(lessons_network(), batch, sample=12)

    assert [array.checked for array in found.arrays()] == [12, 12, 12, 12, 12, 10]
    assert found.passed


def test_the_summary_of_an_array_adds_up(batch: tuple) -> None:
    """Every entry has one verdict; the worst one is told with its values."""
    found = checked(lessons_network(), batch)

    arrays = {array.name: array for array in found.arrays()}

    assert list(arrays) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert arrays["W1"].entries == 784 * 16
    assert sum(array.checked for array in arrays.values()) == 13_002
    worst = arrays["W2"]
    assert worst.backprop == found.gradient.weights[1][worst.worst]
    assert worst.max_relative_error == found.error.weights[1].max()


@pytest.mark.parametrize(("activation", "cost"), EVERY[:4])
def test_the_taylor_remainder_falls_with_slope_two(activation: str, cost: str, batch: tuple) -> None:
    """A second opinion without a step or a tolerance; a missing mean gives slope 1."""
    network = lessons_network(activation, cost)
    right = own_backpropagation(network, *batch)
    wrong = right.like(20 * right.vector)

    def slopes(gradient: LayeredVector) -> tuple[float, ...]:
        return taylor_slopes(network, *batch, gradient, rng=np.random.default_rng(1))

    assert slopes(right) == pytest.approx((2, 2, 2), abs=0.05)
    assert slopes(wrong) == pytest.approx((1, 1, 1), abs=0.05)


def test_random_directions_see_what_a_sample_misses(batch: tuple) -> None:
    """One derivative of 13,002 doubled shows in each direction."""
    network = lessons_network()
    right = own_backpropagation(network, *batch)
    wrong = right.like(right.vector.copy())
    wrong.weights[2][3, 3] *= 2

    assert max(direction_errors(network, *batch, right, rng=np.random.default_rng(0))) < 1e-12
    assert min(direction_errors(network, *batch, wrong, rng=np.random.default_rng(0))) > 1e-6
