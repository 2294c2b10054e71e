"""Diagnosis of bugs: each sentence, for a small network."""

from collections.abc import Callable

import numpy as np
import pytest

from mnist_bp import Network
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.gradcheck.check import Check, Verdict
from mnist_bp.gradcheck.diagnose import Entry, diagnose, worst_entries
from mnist_bp.gradcheck.known_bugs import KNOWN_BUGS, WHOLE_GRADIENTS

EXAMPLES, SIZES = 7, (6, 5, 5, 4)


@pytest.fixture
def network() -> Network:
    """6-5-5-4: a square layer among others, none of its biases 0."""
    rng = np.random.default_rng(0)
    made = Network(SIZES, rng=rng, dtype=np.float64)
    for b in made.biases:
        b += rng.standard_normal(b.shape) / 4
    return made


@pytest.fixture
def batch(rng: np.random.Generator) -> Objective:
    """Seven examples."""
    return Objective(rng.random((EXAMPLES, 6)), np.eye(4)[rng.integers(0, 4, EXAMPLES)])


def found(right: ParameterVector, wrong: ParameterVector, *, zero: ParameterVector | None = None) -> Check:
    """A check that found every difference between the two; ``zero``: what was tried on a dense mini-batch."""
    g, n = wrong.vector, right.vector
    error = np.abs(g - n) / np.maximum(np.maximum(np.abs(g), np.abs(n)), 1e-300)
    verdict = np.where(g == n, int(Verdict.VERIFIED), int(Verdict.FAILED))
    nonzero = np.ones(len(g), bool) if zero is None else ~zero.vector
    return Check("complex", 1e-10, wrong, right, *map(right.like, (verdict, error, nonzero)))


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
        (1 / 2, "2 times too small: the factor 2 of the square dropped?"),
        (2, "2 times too large: a factor 2 counted twice?"),
        (1 / 4, "4 times too small: averaged over the 4 outputs?"),
        (4, "4 times too large: not averaged over the 4 outputs?"),
        (1 / 7, "7 times too small: divided by the 7 examples twice?"),
        (7, "7 times too large: not divided by the 7 examples?"),
        (7 + 2e-6, "7 times too large: not divided by the 7 examples?"),
        (7 + 2e-5, "7 times too large"),
        (1.25, "1.25 times too large"),
        (0.8, "1.25 times too small"),
        (-1, "of the wrong sign"),
        (-2, "of the wrong sign and 2 times too large"),
        (-0.1, "of the wrong sign and 10 times too small"),
        (0, "0"),
    ],
)
def test_a_common_ratio_states_what_it_may_come_from(
    factor: float, words: str, network: Network, batch: Objective
) -> None:
    """The lesson's 2, the number of outputs, the number of examples; another ratio just says how large it is."""
    assert said(times(factor), network, batch) == [f"all derivatives are {words}"]


def test_one_example_is_no_cause_of_a_wrong_sign(network: Network, batch: Objective) -> None:
    """A mean over one example divides by 1: a ratio of ±1 has nothing to do with it."""
    assert said(times(-1), network, batch.with_inputs(batch.X[:1])) == ["all derivatives are of the wrong sign"]


@pytest.mark.parametrize("sentence", WHOLE_GRADIENTS)
def test_a_whole_gradient_that_is_known_is_recognised(sentence: str, network: Network, batch: Objective) -> None:
    """By all of its numbers; nothing else is said."""
    mistaken = WHOLE_GRADIENTS[sentence](network, batch.X, batch.Y)

    assert diagnose(found(batch.gradient(network), mistaken), network, batch) == [sentence]


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        (
            "the factor 2 of the square dropped",
            ["all derivatives are 2 times too small: the factor 2 of the square dropped?"],
        ),
        ("mean over the outputs", ["all derivatives are 4 times too small: averaged over the 4 outputs?"]),
        ("no mean over the examples", ["all derivatives are 7 times too large: not divided by the 7 examples?"]),
        ("biases not averaged", ["all of b1, b2 and b3 are 7 times too large: not divided by the 7 examples?"]),
        ("biases of the last example only", ["all of b1, b2 and b3 are those of the last example alone"]),
        (
            "L2 on the biases",
            ["all of b1, b2 and b3 have an L2 term, 0.001 times the parameter, that the cost does not have"],
        ),
        ("layer 1 too large by 3 %", ["all of W1 and b1 are 1.03 times too large"]),
        ("layer 1 too large by 0.05 %", ["all of W1 and b1 are 1.0005 times too large"]),
        ("two pixels' columns swapped", ["the columns of inputs 1 and 4 of W1 are swapped"]),
        ("one weight's derivative lost", ["w_{1,3}^(2) is 0 instead of 0.0131"]),
        ("one weight's derivative doubled", ["w_{0,3}^(3) is 2 times too large: a factor 2 counted twice?"]),
        ("one bias's sign flipped", ["b_{0}^(1) is of the wrong sign"]),
    ],
)
def test_a_planted_mistake_is_named_with_its_place(
    name: str, sentences: list[str], network: Network, batch: Objective
) -> None:
    """Which arrays, columns or entries, and what is the matter with them."""
    [mistake] = [mistake for mistake in KNOWN_BUGS if mistake.name == name]

    assert diagnose(found(batch.gradient(network), mistake.gradient(network, batch.X, batch.Y)), network, batch) == (
        sentences
    )


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


def test_two_causes_of_one_ratio_are_both_named(network: Network, batch: Objective) -> None:
    """With four examples and four outputs, either division may be missing."""
    assert said(times(4), network, batch.with_inputs(batch.X[:4])) == [
        "all derivatives are 4 times too large: not averaged over the 4 outputs? or not divided by the 4 examples?"
    ]
