"""The gradient check."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import cast

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray

from mnist_bp import Network
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.core.network import Masks, backward, forward
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector, lesson_name
from mnist_bp.core.regularization import add_l2_gradient, draw_masks, smoothed_targets
from mnist_bp.data.datasets import Examples
from mnist_bp.errors import InputError
from mnist_bp.gradcheck.check import Backpropagation, Reference, UserGradient, check
from mnist_bp.gradcheck.diagnose import diagnose, worst_entries
from mnist_bp.gradcheck.known_bugs import KNOWN_BUGS, Bug
from mnist_bp.gradcheck.numerical_gradient import numerical_gradient
from mnist_bp.gradcheck.result import Check, Verdict
from mnist_bp.gradcheck.second_opinion import direction_errors, taylor_slopes
from mnist_bp.gradcheck.steps import Steps
from mnist_bp.training.learning_rates import default_learning_rate
from mnist_bp.training.settings import Settings
from mnist_bp.training.streams import DROPOUT, EpochStream
from mnist_bp.training.trainer import LabelledImages, Trainer, train

EVERY = list(product(ACTIVATIONS, COSTS))
METHODS = ("complex", "central")


SIZES = (49, 16, 16, 10)
"""The lesson's network, for images of every fourth row and column: a tenth of the derivatives, and of the time."""


def lessons_network(activation: str = "sigmoid", cost: str = "squared-error") -> Network:
    """49-16-16-10, none of its biases 0."""
    rng = np.random.default_rng(0)
    network = Network(SIZES, activation=activation, cost=cost, rng=rng, dtype=np.float64)
    for b in network.biases:
        b += rng.standard_normal(b.shape) / 4
    return network


def inputs(examples: Examples, dtype: DTypeLike = np.float64) -> NDArray:
    """Every fourth row and column of the images, (n, 49)."""
    return examples.inputs(dtype).reshape(-1, 28, 28)[:, ::4, ::4].reshape(-1, 49)


@pytest.fixture
def batch(few_digits: tuple[Examples, Examples]) -> Objective:
    """Twenty synthetic digits and their one-hot rows."""
    examples = few_digits[0].first(20)
    return Objective(inputs(examples), np.eye(10)[examples.labels])


@pytest.fixture
def regularized(batch: Objective) -> Objective:
    """Return these digits with an L2 penalty, dropout of 1/2 and 1/5 (pixels), and smoothed labels."""
    rng = np.random.default_rng(1)
    masks = draw_masks(SIZES, 20, rate=0.5, input_rate=0.2, rng=rng, dtype=np.float64)
    return Objective(batch.X, batch.Y @ smoothed_targets(10, 0.1, np.float64), masks, l2=0.01)


def checked(network: Network, objective: Objective, method: str = "complex", **settings: object) -> Check:
    """A check with the random numbers of seed 0."""
    return check(network, objective, method=method, rng=np.random.default_rng(0), **settings)


def claim(backpropagate: Backpropagation, batch: Objective) -> UserGradient:
    """Return the objective of the batch with the gradient of a user's function."""
    return UserGradient(batch.X, batch.Y, backpropagate=backpropagate)


def everything(network: Network) -> ParameterVector:
    """To nudge every parameter."""
    return ParameterVector(network.sizes, np.ones(len(network.parameters), bool))


def count(found: Check, verdict: Verdict) -> int:
    """Return the number of derivatives with this verdict."""
    return int(np.count_nonzero(found.verdict.vector == verdict))


@pytest.mark.parametrize(("activation", "cost"), EVERY)
def test_a_fresh_network_is_verified_to_the_last_digits(activation: str, cost: str, batch: Objective) -> None:
    """Complex step: nothing fails, the median agrees to 1e-14, and every verified entry to 1e-10."""
    found = checked(lessons_network(activation, cost), batch)

    errors = found.error.vector[found.verdict.vector == Verdict.VERIFIED]
    assert found.passed
    assert len(errors) > 1_000
    assert np.median(errors) <= 1e-14
    assert errors.max() <= 1e-10


@pytest.mark.parametrize(("activation", "cost"), EVERY)
def test_a_trained_network_passes(
    activation: str, cost: str, batch: Objective, few_digits: tuple[Examples, Examples]
) -> None:
    """Neurons saturate and derivatives get tiny; what rounding hides is undecided, and nothing fails."""
    network = lessons_network(activation, cost).astype(np.float32)
    sets = [(inputs(examples, np.float32), examples.labels) for examples in few_digits]
    rate = default_learning_rate(activation, cost)
    for _ in train(network, *sets, Settings(epochs=15, batch_size=10, learning_rate=rate, seed=0)):
        pass

    for method, typical in (("complex", 1e-14), ("central", 1e-7)):
        found = checked(network.astype(np.float64), batch, method)

        assert count(found, Verdict.FAILED) == 0
        assert count(found, Verdict.VERIFIED) > 1_000
        assert np.median(found.error.vector[found.verdict.vector == Verdict.VERIFIED]) <= typical


@pytest.mark.parametrize("method", METHODS)
def test_entries_that_are_zero_here_are_tried_on_a_dense_mini_batch(method: str, batch: Objective) -> None:
    """Over half of the derivatives are 0 because a pixel is dark; none of them is left unverified for that."""
    found = checked(lessons_network(), batch, method)

    dark = int((batch.X == 0).all(axis=0).sum()) * 16
    assert dark > 200
    assert len(found.nonzero.vector) - np.count_nonzero(found.nonzero.vector) == dark
    assert count(found, Verdict.ZERO) == 0


@pytest.mark.parametrize(("rate", "l2"), [(0.0, 0.0), (0.4, 0.0), (0.0, 0.1), (0.4, 0.1)])
def test_both_ways_to_nudge_agree_with_nudging_the_whole_network(
    rate: float, l2: float, rng: np.random.Generator
) -> None:
    """The short cut (only z_j moves) gives what moving one parameter and computing everything anew gives."""
    network = Network([6, 5, 4, 4, 3], activation="tanh", rng=rng, dtype=np.float64)
    masks = draw_masks(network.sizes, 7, rate=rate, input_rate=rate / 2, rng=rng, dtype=np.float64)
    objective = Objective(rng.random((7, 6)), np.eye(3)[rng.integers(0, 3, 7)], masks, l2)
    nudged = network.astype(np.complex128)
    plain = np.empty(len(network.parameters))
    for i in range(len(plain)):
        nudged.parameters[i] += 1e-20j
        plain[i] = objective.cost(nudged).imag / 1e-20
        nudged.parameters[i] = network.parameters[i]

    for method, tolerance in (("complex", 1e-12), ("central", 1e-7)):
        found = numerical_gradient(network, objective, method=method, epsilon=1e-5, chosen=everything(network))
        assert found.values.vector == pytest.approx(plain, rel=tolerance, abs=1e-11)


@pytest.mark.parametrize("method", METHODS)
def test_no_false_alarm_over_many_networks_with_kinks(method: str) -> None:
    """40 random relu and leaky-relu networks: nudges that cross or start at a kink are recognised as such.

    And 8 more with dropout and a penalty.
    """
    kinks = 0
    for seed in range(48):
        rng = np.random.default_rng(seed)
        activation, cost = ("relu", "leaky-relu")[seed % 2], ("squared-error", "cross-entropy")[seed // 2 % 2]
        network = Network([5, 4, 3, 2], activation=activation, cost=cost, rng=rng, dtype=np.float64)
        objective = Objective(np.round(rng.standard_normal((6, 5)), 1), np.eye(2)[rng.integers(0, 2, 6)])
        if seed >= 40:
            masks = draw_masks(network.sizes, 6, rate=0.5, input_rate=0.2, rng=rng, dtype=np.float64)
            objective = replace(objective, masks=masks, l2=0.01)
        found = check(network, objective, method=method, rng=rng, epsilon=1e-3 if method == "central" else 1e-5)
        assert count(found, Verdict.FAILED) == 0, (seed, activation, cost)
        kinks += count(found, Verdict.KINK)

    assert kinks > 0


@pytest.mark.parametrize("method", METHODS)
def test_a_neuron_exactly_at_its_kink_is_no_failure(method: str) -> None:
    """z = 0 and a relu: there is no derivative, whatever either side says."""
    network = Network([2, 1, 2], activation="relu", rng=np.random.default_rng(0), dtype=np.float64)
    network.weights[0][...] = [[1, -1]]
    network.weights[1][...] = [[2], [-1]]

    found = checked(network, Objective(np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]])), method)

    assert count(found, Verdict.FAILED) == 0
    assert count(found, Verdict.KINK) == 3


@pytest.mark.parametrize("method", METHODS)
def test_where_a_smooth_activation_crosses_zero_a_wrong_gradient_fails(method: str) -> None:
    """A tanh is 0 at z = 0 and has a derivative there: only relus have kinks."""
    network = Network([2, 1, 2], activation="tanh", rng=np.random.default_rng(0), dtype=np.float64)
    network.weights[0][...] = [[1, -1]]
    batch = Objective(np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]]))

    def doubled(network: Network, X: NDArray, Y: NDArray) -> ParameterVector:
        gradient = Objective(X, Y).gradient(network)
        gradient.weights[0][...] *= 2
        return gradient

    assert checked(network, batch, method).passed
    assert count(checked(network, claim(doubled, batch), method), Verdict.FAILED) == 2


def test_a_derivative_that_is_not_a_number_fails() -> None:
    """It agrees with nothing."""
    network = Network([3, 2], rng=np.random.default_rng(0), dtype=np.float64)
    batch = Objective(np.ones((1, 3)), np.eye(2)[[0]])

    def hollow(network: Network, X: NDArray, Y: NDArray) -> ParameterVector:
        gradient = Objective(X, Y).gradient(network)
        gradient.weights[0][1, 2] = np.nan
        return gradient

    assert count(checked(network, claim(hollow, batch)), Verdict.FAILED) == 1


@pytest.mark.parametrize(("by", "outcome"), [(1, "undecided"), (1.001, "failed")])
def test_a_gradient_of_zeros_is_undecided(by: float, outcome: str) -> None:
    """Outputs that are exactly right move nothing; but where something is, what is claimed of it is wrong."""
    network = Network([3, 2], rng=np.random.default_rng(0), dtype=np.float64)
    network.biases[0][...] = [1_000, -1_000]
    batch = Objective(np.ones((1, 3)), np.eye(2)[[0]])
    claimed = claim(lambda network, X, Y: (g := Objective(X, Y).gradient(network)).like(g.vector + (by - 1)), batch)

    found = checked(network, claimed)

    assert (found.outcome, found.passed) == (outcome, False)


def test_a_network_that_overflows_is_refused() -> None:
    """Nothing can be compared with infinity."""
    network = Network([3, 2], cost="cross-entropy", rng=np.random.default_rng(0), dtype=np.float64)
    network.parameters[...] = np.finfo(np.float64).max

    with pytest.raises(InputError, match="too large for float64: the cost is not finite"):
        checked(network, Objective(np.ones((1, 3)), np.eye(2)[[0]]))


def test_an_absolute_difference_is_never_a_pass() -> None:
    """A gradient of 1e-12 times nothing like the right one is excused by rounding at most; it verifies nothing."""
    network = Network([3, 4, 2], rng=np.random.default_rng(0), dtype=np.float64)
    network.weights[1][...] *= 1e-14  # the first layer hardly matters

    def sign_flipped(network: Network, X: NDArray, Y: NDArray) -> ParameterVector:
        gradient = Objective(X, Y).gradient(network)
        gradient.blocks[0][...] *= -1
        return gradient

    found = checked(network, UserGradient(np.ones((1, 3)), np.eye(2)[[0]], backpropagate=sign_flipped), "central")

    first_layer = found.verdict.blocks[0]
    assert (first_layer == Verdict.UNDECIDED).all()


def in_float32(network: Network, X: NDArray, Y: NDArray) -> ParameterVector:
    """Correct backpropagation in float32."""
    single = Objective(X.astype(np.float32), Y.astype(np.float32)).gradient(network.astype(np.float32))
    return single.like(single.vector.astype(np.float64))


def with_a_small_constant(network: Network, X: NDArray, Y: NDArray) -> ParameterVector:
    """Correct backpropagation, but for 1e-8 in the outputs' σ′."""
    return Steps(output_slope=lambda _, trace, l: trace.dA_dZ[l] + 1e-8)(network, X, Y)


def by_differences(network: Network, X: NDArray, Y: NDArray) -> ParameterVector:
    """Central differences with a step of 1e-5, and with their rounding errors."""
    objective = Objective(X, Y)
    return numerical_gradient(network, objective, method="central", epsilon=1e-5, chosen=everything(network)).values


@pytest.mark.parametrize("function", [in_float32, with_a_small_constant, by_differences])
@pytest.mark.parametrize("method", METHODS)
def test_a_gradient_of_low_precision_has_a_verdict_of_its_own(
    method: str, function: Backpropagation, batch: Objective
) -> None:
    """It passes, and the precision to which it agrees is known; central differences may not see it."""
    found = checked(lessons_network(), claim(function, batch), method)

    assert found.outcome == "float32" or (method == "central" and found.outcome == "passed")
    assert found.passed
    assert found.agreement < 1e-6
    assert method == "central" or found.agreement > 1e-10


@pytest.mark.parametrize("method", METHODS)
def test_low_precision_fails_a_tolerance_that_is_asked_for(method: str, batch: Objective) -> None:
    """A tolerance above the precision is none of this kind."""
    found = checked(lessons_network(), claim(in_float32, batch), method)
    strict, loose = (
        checked(lessons_network(), claim(in_float32, batch), method, tolerance=factor * found.agreement)
        for factor in (0.1, 1.1)
    )

    assert strict.outcome == "failed"
    assert loose.outcome in {"float32", "passed"}


@pytest.mark.parametrize("layer", [0, 2])
@pytest.mark.parametrize("method", METHODS)
def test_a_layer_too_large_by_0_05_percent_fails_in_float32_too(method: str, layer: int, batch: Objective) -> None:
    """The precision of float32 excuses no bug."""

    def slightly_wrong(network: Network, X: NDArray, Y: NDArray) -> ParameterVector:
        gradient = in_float32(network, X, Y)
        gradient.blocks[layer][...] *= 1.0005
        return gradient

    assert checked(lessons_network(), claim(slightly_wrong, batch), method).outcome == "failed"


def test_a_few_small_wrong_entries_are_not_low_precision(batch: Objective) -> None:
    """The others are exact."""
    right = batch.gradient(lessons_network()).weights[0]
    tiny = np.unravel_index(np.argmin(np.where(right == 0, 1, np.abs(right))), right.shape)
    assert 1e-3 * abs(right[tiny]) < 1e-6 * np.abs(right).max()

    def slightly_wrong(network: Network, X: NDArray, Y: NDArray) -> ParameterVector:
        gradient = Objective(X, Y).gradient(network)
        gradient.weights[0][tiny] *= 1.001
        return gradient

    assert checked(lessons_network(), claim(slightly_wrong, batch)).outcome == "failed"


@pytest.fixture(scope="module", params=METHODS)
def small(request: pytest.FixtureRequest) -> tuple[Objective, Reference]:
    """A mini-batch for 9-5-5-4, and its numerical gradient by each method."""
    rng = np.random.default_rng(0)
    network = Network([9, 5, 5, 4], rng=rng, dtype=np.float64)
    network.parameter_vector.vector[...] += rng.standard_normal(len(network.parameters)) / 4
    batch = Objective(rng.random((7, 9)), np.eye(4)[rng.integers(0, 4, 7)])
    reference = Reference(network, batch, method=request.param, rng=np.random.default_rng(0))
    assert reference.check(batch).passed
    return batch, reference


@pytest.mark.parametrize("bug", KNOWN_BUGS, ids=lambda bug: bug.name)
def test_every_known_bug_is_caught(bug: Bug, small: tuple[Objective, Reference]) -> None:
    """By both methods, down to a layer that is 0.05 % too large."""
    batch, reference = small

    assert not reference.check(claim(bug.gradient, batch)).passed


def test_a_right_gradient_has_no_diagnosis(batch: Objective) -> None:
    """There is nothing to say."""
    network = lessons_network()

    assert diagnose(checked(network, batch), network, batch) == []


TWENTY = "divided by the 20 examples twice, or the factor 2 of the square dropped and averaged over the 10 outputs"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda g: g.weights[1].__imul__(-1), "all of W2 are of the wrong sign"),
        (lambda g: g.vector.__imul__(-3), "all derivatives are of the wrong sign and 3 times too large"),
        (
            lambda g: g.vector.__itruediv__(20),
            f"all derivatives are 20 times too small: {TWENTY}?",
        ),
        (lambda g: g.weights[1].__setitem__(..., g.weights[1].T.copy()), "W2 is transposed"),
        (lambda g: g.biases[2].fill(0), "all of b3 are 0"),
    ],
)
def test_other_mistakes_are_named_by_their_numbers(change: object, said: str, batch: Objective) -> None:
    """A ratio that all entries share, a transposition, a zero."""

    def changed(network: Network, X: NDArray, Y: NDArray) -> ParameterVector:
        gradient = Objective(X, Y).gradient(network)
        change(gradient)
        return gradient

    network = lessons_network()
    found = checked(network, claim(changed, batch))

    assert diagnose(found, network, batch) == [said]


def test_a_mistake_without_a_pattern_is_counted(batch: Objective) -> None:
    """If no known bug matches, the diagnosis only counts the wrong entries."""

    def noisy(network: Network, X: NDArray, Y: NDArray) -> ParameterVector:
        gradient = Objective(X, Y).gradient(network)
        gradient.weights[2][...] *= 1 + np.random.default_rng(1).random(gradient.weights[2].shape)
        return gradient

    network = lessons_network()
    found = checked(network, claim(noisy, batch))

    assert diagnose(found, network, batch) == ["160 of the 160 entries of W3 are wrong, by different ratios"]


def test_the_worst_entries_have_their_names_in_the_lesson_and_both_values(batch: Objective) -> None:
    """w_{4,7}^(2), doubled, stands first."""

    def doubled(network: Network, X: NDArray, Y: NDArray) -> ParameterVector:
        gradient = Objective(X, Y).gradient(network)
        gradient.weights[1][4, 7] *= 2
        return gradient

    found = checked(lessons_network(), claim(doubled, batch))

    [entry] = worst_entries(found)
    assert entry.name == "w_{4,7}^(2)"
    assert entry.backprop == pytest.approx(2 * entry.numerical)
    assert entry.relative_error == pytest.approx(0.5)


def test_names_in_the_lessons_notation() -> None:
    """Arrays count layers from 1, indices start at 0."""
    assert lesson_name("W1", (3, 45)) == "w_{3,45}^(1)"
    assert lesson_name("b3", (9,)) == "b_{9}^(3)"


def test_a_sample_is_drawn_from_each_array_by_itself(batch: Objective) -> None:
    """Each array has at most this number of entries in the sample, so that no small array is left out."""
    found = checked(lessons_network(), batch, sample=12)

    assert [array.checked for array in found.arrays] == [12, 12, 12, 12, 12, 10]
    assert found.passed


def test_the_summary_of_an_array_adds_up(batch: Objective) -> None:
    """Every entry has one verdict; the worst one is told with its values."""
    found = checked(lessons_network(), batch)

    arrays = {array.name: array for array in found.arrays}

    assert list(arrays) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert arrays["W1"].entries == 49 * 16
    assert sum(array.checked for array in arrays.values()) == 1_242
    worst = arrays["W2"]
    assert worst.backprop == found.gradient.weights[1][worst.worst]
    assert worst.max_relative_error == found.error.weights[1].max()


def test_a_summary_looks_at_what_was_decided_only() -> None:
    """An undecided entry with a larger error is not the worst one; where nothing was decided, there is none."""
    sizes, decided = (3, 2), [Verdict.VERIFIED, Verdict.UNDECIDED, Verdict.FAILED, Verdict.KINK, Verdict.VERIFIED]
    numbers = [[1.0, 2, 3, 4, 5, 6, 7, 8], [1.5, 2, 3, 4, 5, 6, 7, 8], [*decided, Verdict.ZERO, 0, 0]]
    numbers += [[0.25, 0.9, 0.5, 0.8, 0.125, 0, 0, 0], [True, True, False, True, True, False, True, False]]
    gradient, numerical, verdict, error, nonzero = (ParameterVector(sizes, np.array(each)) for each in numbers)
    found = Check(
        method="complex", tolerance=1e-10, gradient=gradient, numerical=numerical, rounding=numerical, verdict=verdict,
        error=error, nonzero=nonzero, here=nonzero,
    )  # fmt: skip

    W1, b1 = found.arrays

    assert (W1.name, W1.shape, W1.entries, W1.checked, W1.nonzero) == ("W1", (2, 3), 6, 6, 4)
    assert W1.counts == {kind: decided.count(kind) + (kind == Verdict.ZERO) for kind in Verdict}
    assert (W1.max_relative_error, W1.median_relative_error) == (0.5, 0.25)
    assert (W1.worst, W1.backprop, W1.numerical) == ((0, 1), 3.0, 3.0)
    assert (b1.name, b1.entries, b1.checked, b1.nonzero) == ("b1", 2, 0, 1)
    assert (b1.max_relative_error, b1.median_relative_error, b1.worst, b1.backprop, b1.numerical) == (None,) * 5


def test_nothing_verified_is_no_pass() -> None:
    """A check that nudged nothing has found nothing wrong, and nothing right."""
    network = Network([3, 2], rng=np.random.default_rng(0), dtype=np.float64)
    objective = Objective(np.ones((1, 3)), np.eye(2)[[0]])

    assert not checked(network, objective, sample=0).passed
    assert checked(network, objective, sample=1).passed


@pytest.mark.parametrize(("method", "tolerance"), [("complex", 1e-10), ("central", 1e-6)])
def test_a_relative_error_beyond_the_tolerance_fails(method: str, tolerance: float) -> None:
    """Each method has a tolerance of its own, unless another is asked for; half of it is an agreement."""
    network = Network([3, 2], rng=np.random.default_rng(0), dtype=np.float64)
    batch = Objective(np.ones((1, 3)), np.eye(2)[[0]])

    def too_large(by: float) -> UserGradient:
        return claim(lambda *given: (g := Objective(*given[1:]).gradient(given[0])).like((1 + by) * g.vector), batch)

    assert checked(network, too_large(0.5 * tolerance), method).passed
    assert not checked(network, too_large(2 * tolerance), method, tolerance=tolerance).passed
    assert checked(network, too_large(2 * tolerance), method, tolerance=3 * tolerance).passed
    assert checked(network, batch, method).tolerance == tolerance
    assert checked(network, batch, method).method == method


@pytest.mark.parametrize("examples", [20, 3])
def test_the_dense_mini_batch_is_noise_about_as_large_as_a_digit(examples: int, batch: Objective) -> None:
    """It has 16 examples, both signs, no zeros and a standard deviation of 0.3."""
    seen = []

    def watching(network: Network, X: NDArray, Y: NDArray) -> ParameterVector:
        seen.append(X)
        return Objective(X, Y).gradient(network)

    checked(lessons_network(), claim(watching, batch.with_inputs(batch.X[:examples])), sample=1)

    assert [X.shape for X in seen] == [(examples, 49), (16, 49)]
    assert seen[1].all()
    assert (seen[1].mean(), seen[1].std()) == pytest.approx((0, 0.3), abs=0.02)


@pytest.mark.parametrize(("activation", "cost"), EVERY[:4])
def test_the_taylor_remainder_falls_with_slope_two(activation: str, cost: str, batch: Objective) -> None:
    """A second opinion without a step or a tolerance; a missing mean gives slope 1."""
    network = lessons_network(activation, cost)
    right = batch.gradient(network)
    wrong = right.like(20 * right.vector)

    def slopes(gradient: ParameterVector) -> tuple[float, ...]:
        return taylor_slopes(network, batch, gradient, rng=np.random.default_rng(1))

    assert slopes(right) == pytest.approx((2, 2, 2), abs=0.05)
    assert slopes(wrong) == pytest.approx((1, 1, 1), abs=0.05)


def test_where_nothing_is_left_there_is_no_slope() -> None:
    """Outputs that are exactly right, and stay so: no number, and no warning."""
    network = Network([3, 2], rng=np.random.default_rng(0), dtype=np.float64)
    network.biases[0][...] = [1_000, -1_000]
    batch = Objective(np.ones((1, 3)), np.eye(2)[[0]])

    slopes = taylor_slopes(network, batch, batch.gradient(network), rng=np.random.default_rng(1))

    assert np.isnan(slopes).tolist() == [True] * 3


def test_where_nothing_is_left_any_more_the_slope_is_infinite() -> None:
    """A cost that is flat near by, and rises from a step of 0.004 on: without a warning, too."""
    network = Network([3, 2], rng=np.random.default_rng(0), dtype=np.float64)
    start = network.parameters.copy()

    class Pit:
        def cost(self, moved: Network) -> complex:
            return complex(max(np.linalg.norm(moved.parameters - start) - 0.004, 0))

    flat = network.parameter_vector.like(np.zeros_like(start))
    first, second, third = taylor_slopes(network, cast("Objective", Pit()), flat, rng=np.random.default_rng(1))

    assert first == pytest.approx(np.log2(6))  # of 0.006 and 0.001
    assert second == np.inf
    assert np.isnan(third)


def test_random_directions_see_what_a_sample_misses(batch: Objective) -> None:
    """One derivative of 1,242 doubled shows in each direction."""
    network = lessons_network()
    right = batch.gradient(network)
    wrong = right.like(right.vector.copy())
    wrong.weights[2][3, 3] *= 2

    assert max(direction_errors(network, batch, right, rng=np.random.default_rng(0))) < 1e-12
    assert min(direction_errors(network, batch, wrong, rng=np.random.default_rng(0))) > 1e-6


def test_where_nothing_moves_no_direction_is_wrong() -> None:
    """0 beside 0 is no error."""
    network = Network([3, 2], rng=np.random.default_rng(0), dtype=np.float64)
    network.biases[0][...] = [1_000, -1_000]
    batch = Objective(np.ones((1, 3)), np.eye(2)[[0]])

    assert direction_errors(network, batch, batch.gradient(network), rng=np.random.default_rng(0)) == [0] * 10


def test_twice_the_gradient_is_half_wrong_in_each_of_ten_directions(batch: Objective) -> None:
    """The error is relative to the larger of the two; ten directions, unless more are asked for."""
    network = lessons_network()
    twice = batch.gradient(network)
    twice.vector[...] *= 2

    errors = direction_errors(network, batch, twice, rng=np.random.default_rng(0))

    assert errors == pytest.approx([0.5] * 10)
    assert len(direction_errors(network, batch, twice, rng=np.random.default_rng(0), directions=3)) == 3


@pytest.mark.parametrize(("activation", "cost"), EVERY)
@pytest.mark.parametrize("method", METHODS)
def test_dropout_l2_and_smoothed_labels_pass(activation: str, cost: str, method: str, regularized: Objective) -> None:
    """All of them together, with every activation and cost; relus that are off, or left out, verify nothing."""
    found = checked(lessons_network(activation, cost), regularized, method, sample=300)

    assert count(found, Verdict.FAILED) == 0
    assert count(found, Verdict.VERIFIED) > (600 if activation == "relu" else 700)


def test_what_is_checked_is_the_step_that_trains(regularized: Objective, few_digits: tuple[Examples, Examples]) -> None:
    """A training step of SGD takes this very gradient, times the learning rate, with the masks of its own stream."""
    network, digits = lessons_network(), few_digits[0].first(20)
    data = LabelledImages(regularized.X, digits.labels)
    settings = Settings(
        learning_rate=0.5, batch_size=None, epochs=1, seed=7,
        l2=regularized.l2, dropout=0.5, input_dropout=0.2, label_smoothing=0.1,
    )  # fmt: skip
    rng = EpochStream(7, 1, DROPOUT, batches=1).generator(0)
    masks = draw_masks(network.sizes, 20, rate=0.5, input_rate=0.2, rng=rng, dtype=np.float64)
    before, gradient = network.parameters.copy(), replace(regularized, masks=masks).gradient(network).vector

    list(Trainer(network, data, data, settings).run())

    np.testing.assert_allclose((before - network.parameters) / 0.5, gradient, rtol=0, atol=1e-14)


@dataclass(kw_only=True)
class Wrong(Objective):
    """Objective with a bug in its gradient: ``wrong`` is called with the network and the right objective."""

    wrong: Callable[[Network, Objective], ParameterVector]

    def gradient(self, network: Network) -> ParameterVector:
        """Return the gradient with the bug."""
        return self.wrong(network, Objective(self.X, self.Y, self.masks, self.l2))


def with_masks_on_the_way_back(masks: Masks, network: Network, right: Objective) -> ParameterVector:
    """The right forward pass, and backwards with other masks."""
    trace = right.trace(network)
    slopes = {l: forward(network, trace.A[l - 1], start=l - 1).dA_dZ[l] for l in range(1, network.L + 1)}
    wrong = {l: slope * masks[l] if l in masks else slope for l, slope in slopes.items()}
    gradient = backward(network, trace._replace(dA_dZ=wrong), right.Y)
    add_l2_gradient(network, right.l2, gradient)
    return gradient


def l2_on_biases(network: Network, right: Objective) -> ParameterVector:
    """The penalty's gradient added to all parameters."""
    gradient = right.gradient(network)
    for dC_db, b in zip(gradient.biases, network.biases, strict=True):
        dC_db += right.l2 * b
    return gradient


WRONG = {
    "no mask on the way back": lambda network, right: with_masks_on_the_way_back({}, network, right),
    "other masks on the way back": lambda network, right: with_masks_on_the_way_back(
        {l: mask[::-1] for l, mask in right.masks.items()}, network, right
    ),
    "masks not multiplied": lambda network, right: replace(
        right, masks={l: mask > 0 for l, mask in right.masks.items()}
    ).gradient(network),
    "dropout forgotten": lambda network, right: replace(right, masks=None).gradient(network),
    "λ twice": lambda network, right: replace(right, l2=2 * right.l2).gradient(network),
    "λ averaged over the examples": lambda network, right: replace(right, l2=right.l2 / 20).gradient(network),
    "L2 forgotten": lambda network, right: replace(right, l2=0.0).gradient(network),
    "L2 on the biases too": l2_on_biases,
    "labels not smoothed": lambda network, right: replace(right, Y=np.round(right.Y)).gradient(network),
}


@pytest.mark.parametrize("mistake", WRONG)
@pytest.mark.parametrize("method", METHODS)
def test_mistakes_in_dropout_and_l2_are_caught(method: str, mistake: str, regularized: Objective) -> None:
    """By both methods, from a sample of each array."""
    wrong = Wrong(**vars(regularized), wrong=WRONG[mistake])

    assert not checked(lessons_network(), wrong, method, sample=100).passed


def test_the_right_masks_on_the_way_back_give_the_right_gradient(regularized: Objective) -> None:
    """Only the masks therefore cause the failures above."""
    found = with_masks_on_the_way_back(regularized.masks, lessons_network(), regularized)

    np.testing.assert_allclose(found.vector, regularized.gradient(lessons_network()).vector, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("λ twice", "the L2 term of all of W1, W2 and W3 is off by 0.01 times the parameter; λ is 0.01"),
        ("L2 forgotten", "the L2 term of all of W1, W2 and W3 is off by -0.01 times the parameter; λ is 0.01"),
        (
            "L2 on the biases too",
            "all of b1, b2 and b3 have an L2 term, 0.01 times the parameter, that the cost does not have",
        ),
    ],
)
def test_mistakes_in_l2_are_named(mistake: str, said: str, regularized: Objective) -> None:
    """The diagnosis gives the actual and the expected size of the L2 term."""
    network = lessons_network()
    found = checked(network, Wrong(**vars(regularized), wrong=WRONG[mistake]), sample=100)

    assert diagnose(found, network, regularized) == [said]


@pytest.mark.parametrize("method", METHODS)
def test_a_neuron_dropped_in_every_example_verifies_nothing(method: str, batch: Objective) -> None:
    """All derivatives that lead through it are 0, on the dense mini-batch too; no other one is."""
    masks = {1: np.tile([0.0, *[1.0] * 15], (20, 1))}

    found = checked(lessons_network(), replace(batch, masks=masks), method)

    zero = found.verdict.like(found.verdict.vector == Verdict.ZERO)
    assert found.passed
    assert zero.blocks[0][:, 0].all()
    assert zero.weights[1][:, 0].all()
    assert np.count_nonzero(zero.vector) == 49 + 1 + 16
    assert not found.error.vector[zero.vector].any()


@pytest.mark.parametrize("method", METHODS)
def test_a_penalty_does_not_verify_the_weights_of_dark_pixels(method: str, batch: Objective) -> None:
    """On the digits themselves their derivative is λ w, whatever backpropagation does; they are tried on dense ones."""

    def dark_pixels_forgotten(network: Network, right: Objective) -> ParameterVector:
        lit = (batch.X > 0).any(axis=0)
        return replace(right, X=right.X * lit).gradient(network)

    objective = replace(batch, l2=0.01)
    right = checked(lessons_network(), objective, method)
    wrong = checked(lessons_network(), Wrong(**vars(objective), wrong=dark_pixels_forgotten), method)

    dark = int((batch.X == 0).all(axis=0).sum()) * 16
    assert len(right.nonzero.vector) - np.count_nonzero(right.nonzero.vector) == dark
    assert count(right, Verdict.ZERO) == 0
    assert count(wrong, Verdict.FAILED) >= dark


def test_what_a_large_penalty_loses_to_rounding_is_known(rng: np.random.Generator) -> None:
    """With weights around 1,000, central differences of λ/2 w² are off by 1e-5, and the noise says so."""
    network = Network([6, 5, 3], rng=rng, dtype=np.float64)
    network.parameters *= 1_000
    objective = Objective(rng.random((7, 6)), np.eye(3)[rng.integers(0, 3, 7)], l2=0.5)

    found = numerical_gradient(network, objective, method="central", epsilon=1e-5, chosen=everything(network))

    off = np.abs(found.values.vector - objective.gradient(network).vector)
    assert off.max() > 1e-6
    assert (off <= found.noise.vector).all()


def test_a_parameter_that_is_not_nudged_has_no_penalty_either(rng: np.random.Generator) -> None:
    """Its value stays 0."""
    network = Network([6, 5, 3], rng=rng, dtype=np.float64)
    objective = Objective(rng.random((7, 6)), np.eye(3)[rng.integers(0, 3, 7)], l2=0.5)
    nothing = ParameterVector.zeros(network.sizes, np.bool_)

    found = numerical_gradient(network, objective, method="complex", epsilon=1e-5, chosen=nothing)

    assert not found.values.vector.any()


@pytest.mark.parametrize("method", METHODS)
def test_a_mask_is_nudged_through_as_larger_weights_are(method: str, rng: np.random.Generator) -> None:
    """Activations times 8, or the weights that they meet: the same values, and the same noise, below."""
    network = Network([6, 5, 3], rng=rng, dtype=np.float64)
    objective = Objective(rng.random((7, 6)), np.eye(3)[rng.integers(0, 3, 7)], {1: np.full((7, 5), 8.0)})
    larger = network.astype(np.float64)
    larger.weights[1][...] *= 8

    masked, plain = (
        numerical_gradient(each, of, method=method, epsilon=1e-5, chosen=everything(network))
        for each, of in ((network, objective), (larger, replace(objective, masks=None)))
    )

    assert masked.values.blocks[0] == pytest.approx(plain.values.blocks[0], rel=1e-6)
    assert masked.noise.blocks[0] == pytest.approx(plain.noise.blocks[0], rel=1e-6, abs=0)


@pytest.mark.parametrize("mask", [1.0, 0.0])
@pytest.mark.parametrize("method", METHODS)
def test_a_kink_of_a_dropped_neuron_is_none(method: str, mask: float) -> None:
    """z = 0 in the second of three hidden layers matters only where that neuron is seen."""
    network = Network([1, 1, 1, 1, 2], activation="relu", rng=np.random.default_rng(0), dtype=np.float64)
    for W, b, bias in zip(network.weights, network.biases, (0, -1, 1, 0), strict=True):
        W[...], b[...] = 1, bias
    objective = Objective(np.ones((1, 1)), np.eye(2)[[0]], {2: np.full((1, 1), mask)})

    found = numerical_gradient(network, objective, method=method, epsilon=1e-5, chosen=everything(network))

    assert found.kinks.weights[0].any() == (mask > 0)
    assert found.kinks.vector.any() == (mask > 0)
