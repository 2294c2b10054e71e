"""Diagnosis of bugs: each sentence, for a small network."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from mnist_bp import Network
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.core.inputs import Functions
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.gradcheck.diagnose import Entry, diagnose, worst_entries
from mnist_bp.gradcheck.factors import ratio_in_words
from mnist_bp.gradcheck.known_bugs import KNOWN_BUGS
from mnist_bp.gradcheck.result import Check, Verdict

EXAMPLES, SIZES = 7, (6, 5, 5, 6)
HALF, SUM = "the factor 2 of the square dropped", "not divided by the 7 examples"


@pytest.fixture
def network() -> Network:
    """6-5-5-6: a square layer among others, none of its biases 0."""
    rng = np.random.default_rng(0)
    made = Network(SIZES, rng=rng, dtype=np.float64)
    for b in made.biases:
        b += rng.standard_normal(b.shape) / 4
    return made


@pytest.fixture
def batch(rng: np.random.Generator) -> Objective:
    """Seven examples."""
    return Objective(rng.random((EXAMPLES, 6)), np.eye(6)[rng.integers(0, 6, EXAMPLES)])


def found(right: ParameterVector, wrong: ParameterVector, *, zero: ParameterVector | None = None) -> Check:
    """A check that found every difference between the two; ``zero``: what was tried on a dense mini-batch."""
    g, n = wrong.vector, right.vector
    here = right.like(np.ones(len(g), bool) if zero is None else ~zero.vector)
    return Check(
        method="complex",
        tolerance=1e-10,
        gradient=wrong,
        numerical=right,
        rounding=right.like(1e-15 * np.abs(n)),
        verdict=right.like(np.where(g == n, int(Verdict.VERIFIED), int(Verdict.FAILED))),
        error=right.like(np.abs(g - n) / np.maximum(np.maximum(np.abs(g), np.abs(n)), 1e-300)),
        nonzero=here,
        here=here,
    )


def said(
    change: Callable[[ParameterVector], object], network: Network, batch: Objective, scale: float = 1
) -> list[str]:
    """The diagnosis of the right gradient, times ``scale``, after ``change``."""
    right = batch.gradient(network)
    right.vector[...] *= scale
    wrong = right.like(right.vector.copy())
    change(wrong)
    return diagnose(found(right, wrong), network, batch)


def times(factor: float) -> Callable[[ParameterVector], object]:
    """Return a change that multiplies all derivatives by a factor."""
    return lambda g: g.vector.__imul__(factor)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1 / 2, f"2 times too small: {HALF}?"),
        (2, "2 times too large: a factor 2 counted twice?"),
        (1 / 6, "6 times too small: averaged over the 6 outputs?"),
        (6, "6 times too large"),
        (1 / 7, "7 times too small: divided by the 7 examples twice?"),
        (7, "7 times too large: not divided by the 7 examples?"),
        (7 + 2e-6, "7 times too large: not divided by the 7 examples?"),
        (7 + 2e-5, "7 times too large"),
        (7 / 2, f"3.5 times too large: {HALF} and {SUM}?"),
        (
            7 / 12,
            f"1.7143 times too small: {HALF} and {SUM} and averaged over the 6 outputs?",
        ),
        (1.25, "1.25 times too large"),
        (0.8, "1.25 times too small"),
        (1 + 2e-5, "1.00002 times too large"),
        (-1, "of the wrong sign"),
        (-2, "of the wrong sign and 2 times too large: a factor 2 counted twice?"),
        (
            -1 / 12,
            f"of the wrong sign and 12 times too small: {HALF} and averaged over the 6 outputs?",
        ),
        (0, "0"),
    ],
)
def test_a_common_ratio_states_what_it_may_come_from(
    factor: float, words: str, network: Network, batch: Objective
) -> None:
    """The lesson's 2, the outputs, the examples, and their products; another ratio just says how large it is."""
    assert said(times(factor), network, batch) == [f"all derivatives are {words}"]


def test_one_example_is_no_cause_of_a_wrong_sign(network: Network, batch: Objective) -> None:
    """A mean over one example divides by 1: a ratio of ±1 has nothing to do with it."""
    assert said(times(-1), network, batch.with_inputs(batch.X[:1])) == ["all derivatives are of the wrong sign"]


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        ("mean over the outputs", ["all derivatives are 6 times too small: averaged over the 6 outputs?"]),
        ("no mean over the examples", ["all derivatives are 7 times too large: not divided by the 7 examples?"]),
        ("biases not averaged", ["all of b1, b2 and b3 are 7 times too large: not divided by the 7 examples?"]),
        (
            "L2 on the biases",
            ["all of b1, b2 and b3 have an L2 term, 0.001 times the parameter, that the cost does not have"],
        ),
        ("layer 1 too large by 3 %", ["all of W1 and b1 are 1.03 times too large"]),
        ("layer 1 too large by 0.05 %", ["all of W1 and b1 are 1.0005 times too large"]),
        ("two pixels' columns swapped", ["the columns of inputs COLUMNS of W1 are swapped"]),
        ("one weight's derivative lost", ["w_{LOST}^(3) is 0 instead of VALUE"]),
        ("one weight's derivative doubled", ["w_{LOST}^(3) is 2 times too large: a factor 2 counted twice?"]),
        ("one bias's sign flipped", ["b_{FLIPPED}^(1) is of the wrong sign"]),
    ],
)
def test_a_bug_without_a_gradient_of_its_own_is_named_with_its_place(
    name: str, sentences: list[str], network: Network, batch: Objective
) -> None:
    """Which arrays, columns or entries, and what is the matter with them."""
    right = batch.gradient(network)
    [bug] = [bug for bug in KNOWN_BUGS if bug.name == name]
    lost = np.unravel_index(np.abs(right.W[3]).argmax(), right.W[3].shape)
    brightest = np.sort(np.abs(right.W[1]).sum(axis=0).argsort()[-2:])
    places = {
        "COLUMNS": " and ".join(map(str, brightest)),
        "LOST": ",".join(map(str, lost)),
        "VALUE": f"{right.W[3][lost]:.3g}",
        "FLIPPED": str(np.abs(right.b[1]).argmax()),
    }
    for place, value in places.items():
        sentences = [sentence.replace(place, value) for sentence in sentences]

    assert diagnose(found(right, bug.gradient(network, batch.X, batch.Y)), network, batch) == sentences


@pytest.mark.parametrize("wrong", [3, 4])
def test_up_to_three_wrong_entries_are_named_one_by_one(wrong: int, network: Network, batch: Objective) -> None:
    """From four on, they are counted."""

    def change(g: ParameterVector) -> None:
        g.weights[1][0, :wrong] *= [1.5, 2.5, 6, 5][:wrong]

    words = ("1.5 times too large", "2.5 times too large", "6 times too large")
    named = [f"w_{{0,{k}}}^(2) is {word}" for k, word in enumerate(words)]

    assert said(change, network, batch) == (
        named if wrong == 3 else ["4 of the 25 entries of W2 are wrong, by different ratios"]
    )


@pytest.mark.parametrize("scale", [1, 1e-20])
def test_small_derivatives_are_distinguished_as_large_ones_are(
    scale: float, network: Network, batch: Objective
) -> None:
    """Equality is relative: noise on derivatives of 1e-20 is not a common ratio, a transposition or an L2 term."""
    noise = 1 + np.random.default_rng(1).random((5, 5))

    sentences = said(lambda g: g.weights[1].__imul__(noise), network, batch, scale)

    assert sentences == ["25 of the 25 entries of W2 are wrong, by different ratios"]


def test_a_transposed_array_and_swapped_columns_are_distinguished(network: Network, batch: Objective) -> None:
    """A square W by its whole content, two columns by theirs; three in a ring, or two with other numbers, are wrong."""
    other = 1 + np.random.default_rng(1).random((5, 2))

    def exchange(*columns: int) -> Callable[[ParameterVector], object]:
        return lambda g: g.weights[1].__setitem__(
            (slice(None), list(columns)), g.weights[1][:, [*columns[1:], columns[0]]]
        )

    def spoil(g: ParameterVector) -> None:
        g.weights[1][:, [1, 3]] *= other

    transposed = said(lambda g: g.weights[1].__setitem__(..., g.weights[1].T.copy()), network, batch)

    assert transposed == ["W2 is transposed"]
    assert said(exchange(1, 3), network, batch) == ["the columns of inputs 1 and 3 of W2 are swapped"]
    assert said(spoil, network, batch) == ["10 of the 25 entries of W2 are wrong, by different ratios"]
    assert said(exchange(0, 1, 3), network, batch) == ["15 of the 25 entries of W2 are wrong, by different ratios"]


def test_entries_that_are_wrong_on_a_dense_mini_batch_only_are_counted(network: Network, batch: Objective) -> None:
    """Entries that are 0 on the mini-batch are only counted, because they do not show the kind of bug."""
    right = batch.gradient(network)
    wrong, zero = right.like(right.vector.copy()), right.like(np.zeros(len(right.vector), bool))
    wrong.weights[0][:, 2] *= 3
    zero.weights[0][:, 2] = True

    sentences = diagnose(found(right, wrong, zero=zero), network, batch)

    assert sentences == ["5 entries of W1, 0 here, are wrong on a dense mini-batch"]


def test_the_worst_entries_come_first_and_are_five_unless_more_are_asked_for(
    network: Network, batch: Objective
) -> None:
    """By relative error, the largest first, each with its name and both values."""
    right = batch.gradient(network)
    wrong = right.like(right.vector.copy())
    wrong.weights[1][3, :] *= [2, 4, 3, 6, 5]
    wrong.biases[2][1] *= 10
    check = found(right, wrong)

    first, *others = worst_entries(check)

    assert first == Entry("b_{1}^(3)", wrong.biases[2][1], right.biases[2][1], pytest.approx(0.9))
    assert [entry.name for entry in others] == [f"w_{{3,{k}}}^(2)" for k in (3, 4, 1, 2)]
    assert len(worst_entries(check, 10)) == 6


def test_all_causes_of_one_ratio_are_named(network: Network, batch: Objective) -> None:
    """With three examples and six outputs, ½ is the mean over the outputs of a sum as well."""
    means = "not divided by the 3 examples and averaged over the 6 outputs"

    assert said(times(1 / 2), network, batch.with_inputs(batch.X[:3])) == [
        f"all derivatives are 2 times too small: {HALF}, or {means}?"
    ]


def test_a_factor_that_no_square_has_is_not_blamed_on_a_square() -> None:
    """Cross-entropy has no square: half of its gradient is half of it."""
    rng = np.random.default_rng(0)
    net = Network(SIZES, cost="cross-entropy", rng=rng, dtype=np.float64)
    objective = Objective(rng.random((EXAMPLES, 6)), np.eye(6)[rng.integers(0, 6, EXAMPLES)])

    assert said(times(1 / 2), net, objective) == ["all derivatives are 2 times too small"]
    assert said(times(7), net, objective) == [f"all derivatives are 7 times too large: {SUM}?"]


def test_what_arrays_show_besides_a_common_factor(network: Network, batch: Objective) -> None:
    """The factor of most arrays comes first, and the others are described relative to it."""

    def change(g: ParameterVector) -> None:
        g.vector[...] *= 7
        g.weights[0][...] *= -1
        g.biases[2][...] /= 2

    assert said(change, network, batch) == [
        f"all derivatives are 7 times too large: {SUM}?",
        "besides, all of W1 are of the wrong sign",
        f"besides, all of b3 are 2 times too small: {HALF}?",
    ]


def test_few_wrong_entries_do_not_hide_a_common_factor(batch: Objective) -> None:
    """Even if no array shows the factor alone."""
    network = Network([6, 5, 6], rng=np.random.default_rng(0), dtype=np.float64)

    def change(g: ParameterVector) -> None:
        g.vector[...] *= 7
        for array in g.named_arrays().values():
            array.flat[0] = 0

    first, *others = said(change, network, batch)

    assert first == f"all derivatives are 7 times too large: {SUM}?"
    assert [words.partition(" is 0 instead of ")[0] for words in others] == [
        f"besides, {name}" for name in ("w_{0,0}^(1)", "b_{0}^(1)", "w_{0,0}^(2)", "b_{0}^(2)")
    ]


@pytest.mark.parametrize("names", [("W2", "b1"), ("b1", "b2", "b3")])
def test_an_l2_term_besides_a_common_factor(names: tuple[str, ...], network: Network, batch: Objective) -> None:
    """Its strength is that of the function, whatever the factor is."""
    parameters = network.parameter_vector.named_arrays()

    def change(g: ParameterVector) -> None:
        g.vector[...] /= 2
        for name in names:
            g.named_arrays()[name][...] += 0.03 * parameters[name]

    listed = "b1, b2 and b3" if len(names) == 3 else "b1 and W2"
    assert said(change, network, batch) == [
        f"all derivatives are 2 times too small: {HALF}?",
        f"besides, all of {listed} have an L2 term, 0.03 times the parameter, that the cost does not have",
    ]


def test_an_l2_term_of_all_parameters_besides_a_common_factor(network: Network, batch: Objective) -> None:
    """No array shows the factor alone; a fit of both terms does."""

    def change(g: ParameterVector) -> None:
        g.vector[...] = g.vector / 2 + 0.03 * network.parameters

    assert said(change, network, batch) == [
        f"all derivatives are 2 times too small: {HALF}?",
        "besides, all derivatives have an L2 term, 0.03 times the parameter, that the cost does not have",
    ]


def test_two_bugs_in_different_steps_are_both_named(network: Network, batch: Objective) -> None:
    """One changes the biases, the other the way back; and everything is summed."""
    bugs = {bug.name: bug for bug in KNOWN_BUGS}
    names = "σ′(a) is used for σ′(z) in hidden layers", "the biases' derivatives are row sums of dC_dW"
    wrong = (bugs[names[0]].gradient | bugs[names[1]].gradient)(network, batch.X, batch.Y)
    wrong.vector[...] *= 7

    [sentence] = diagnose(found(batch.gradient(network), wrong), network, batch)

    assert [sentence.index(words) for words in (*names, SUM)] == sorted(
        sentence.index(words) for words in (*names, SUM)
    )
    assert "; or: " not in sentence


def test_a_cause_is_offered_only_where_it_changes_something(network: Network, batch: Objective) -> None:
    """Nothing is transposed where no W is square, and nothing hidden is wrong where nothing is hidden."""
    for sizes in ((6, 5), (6, 5, 3)):
        net = Network(sizes, rng=np.random.default_rng(0), dtype=np.float64)
        objective = Objective(batch.X, np.eye(sizes[-1])[np.arange(EXAMPLES) % sizes[-1]])
        for bug in KNOWN_BUGS:
            wrong, right = bug.gradient(net, objective.X, objective.Y), objective.gradient(net)
            words = "; ".join(diagnose(found(right, wrong), net, objective))
            assert not any(
                word in words for word in ("transposed where it carries", "next layer", "of the layer itself")
            )
            if len(sizes) == 2:
                assert not any(word in words for word in ("hidden", "everywhere", "carried back", "layer before"))


def test_a_right_function_of_another_activation_and_cost_is_recognized(network: Network, batch: Objective) -> None:
    """Every pair is tried, and linear outputs as well."""
    for activation, cost in product(ACTIVATIONS, COSTS):
        other = Network.of(network.parameter_vector, Functions(activation, cost, COSTS[cost].output_activation))
        if (activation, cost) != (network.activation, network.cost):
            [sentence] = diagnose(found(batch.gradient(network), batch.gradient(other)), network, batch)
            assert f"--activation {activation} --cost {cost}" in sentence or "--cost binary-cross-entropy" in sentence
    linear = Network.of(network.parameter_vector, Functions("tanh", "squared-error", "identity"))

    [sentence] = diagnose(found(batch.gradient(network), batch.gradient(linear)), network, batch)

    assert "--activation tanh --cost squared-error and identity outputs" in sentence


def test_a_gradient_that_is_only_less_precise_has_no_bug(network: Network, batch: Objective) -> None:
    """It fails a strict tolerance: the precision is all that there is to say."""
    right = batch.gradient(network)
    noise = 1 + 1e-8 * np.random.default_rng(1).standard_normal(len(right.vector))
    check = replace(found(right, right.like(right.vector * noise)), is_strict=True)

    [sentence] = diagnose(check, network, batch)

    assert sentence.startswith("the gradient agrees to ")
    assert sentence.endswith("e-08 only: computed in float32?")


@pytest.mark.parametrize(
    ("ratio", "words"), [(0, "0"), (1e-320, "0"), (1, ""), (-1, "of the wrong sign"), (1e300, "1e+300 times too large")]
)
def test_no_ratio_is_infinite(ratio: float, words: str, network: Network) -> None:
    """One whose inverse overflows counts as 0."""
    assert ratio_in_words(ratio, network, EXAMPLES) == words


def test_an_entry_that_should_be_zero_is_named_by_both_values(network: Network, batch: Objective) -> None:
    """Its ratio would be infinite."""
    right = batch.gradient(network)
    right.weights[1][2, 3] = 0
    wrong = right.like(right.vector.copy())
    wrong.weights[1][2, 3] = 0.25

    assert diagnose(found(right, wrong), network, batch) == ["w_{2,3}^(2) is 0.25 instead of 0"]
