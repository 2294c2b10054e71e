"""Bugs that were described in public: all are caught, and their causes are named."""

import inspect
from functools import cache
from itertools import product

import numpy as np
import pytest
from public_bugs import BUGS, PublicBug

from mnist_bp import Network
from mnist_bp.cli.gradcheck import gradcheck
from mnist_bp.core.objective import Objective
from mnist_bp.data.examples import Examples
from mnist_bp.data.synthetic import digits
from mnist_bp.gradcheck.check import Reference, UserGradient
from mnist_bp.gradcheck.diagnose import diagnose
from mnist_bp.gradcheck.factors import combinations, known_factors, ratio_in_words
from mnist_bp.gradcheck.user_function import UserFunction

EXAMPLES = 23
"""Default of the command."""


@cache
def reference(hidden: tuple[int, ...], activation: str, cost: str) -> tuple[Network, Objective, Reference]:
    """Return a fresh network for images of 14 × 14 pixels, 23 digits, and their numerical derivatives."""
    images, labels = digits(EXAMPLES, seed=1, split="train")
    X = Examples(images, labels).inputs(np.float64).reshape(-1, 28, 28)[:, ::2, ::2].reshape(EXAMPLES, -1)
    network = Network(
        [X.shape[1], *hidden, 10], activation=activation, cost=cost, rng=np.random.default_rng(0), dtype=np.float64
    )
    objective = Objective(X, np.eye(10)[labels])
    return network, objective, Reference(network, objective, method="complex", rng=np.random.default_rng(0))


@cache
def diagnosis(bug: PublicBug) -> list[str]:
    """Return what is said of a bug. Nothing is said of a gradient that passes."""
    network, objective, numerical = reference(bug.hidden, bug.activation, bug.cost)
    function = UserFunction(bug.function, bug.function.__name__)
    found = numerical.check(UserGradient(objective.X, objective.Y, backpropagate=function))
    return diagnose(found, network, objective)


def is_named(bug: PublicBug) -> bool:
    """Return True if the diagnosis has all words that identify the bug."""
    return all(any(sign in sentence for sentence in diagnosis(bug)) for sign in bug.signs)


def is_misnamed(bug: PublicBug) -> bool:
    """Return True if an explanation names something else."""
    right = (*bug.signs, *SYNONYMS.get(bug.function.__name__, ()))
    explanations = "; or: ".join(diagnosis(bug)).split("; or: ")
    return not all(any(sign in explanation for sign in right) for explanation in explanations)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.function.__name__)
def test_a_bug_that_was_described_in_public_is_caught_and_named(bug: PublicBug) -> None:
    """Every explanation names something that this bug does."""
    assert diagnosis(bug)
    assert is_named(bug)
    assert not is_misnamed(bug)


def test_all_are_caught_and_named_and_none_wrongly() -> None:
    """The nineteen bugs and Nielsen's convention."""
    counts = [sum(map(bool, map(count, BUGS))) for count in (diagnosis, is_named, is_misnamed)]

    assert counts == [20, 20, 0]


SYNONYMS = {
    "no_slope_at_the_outputs": ["the outputs' error is a − y"],  # times 2
    "no_slope_and_updated_weights": ["the outputs' error is a − y"],
    "the_error_of_cross_entropy": ["σ′ is left out at the outputs"],  # with ½
}
"""Other words for the same bug, which are right as well."""


def test_there_are_nineteen_and_nielsens_convention() -> None:
    """Each has a source, or several."""
    assert len(BUGS) == 20
    assert len({bug.source for bug in BUGS}) == 20


def test_nielsens_convention_is_that_of_half_the_square_and_a_sum() -> None:
    """It is right by its own convention: only the factor is named. With 20 examples, it would be ambiguous."""
    network, _, _ = reference((16, 16), "sigmoid", "squared-error")

    assert ratio_in_words(EXAMPLES / 2, network, EXAMPLES) == (
        "11.5 times too large: the factor 2 of the square dropped and not divided by the 23 examples?"
    )
    assert ratio_in_words(20 / 2, network, 20).count(", or ") == 0
    assert ratio_in_words(1 / 10, network, 20).count(", or ") == 1


def test_the_default_number_of_examples_keeps_all_causes_apart() -> None:
    """No two combinations of ½, 2, a sum, a second mean and the mean over the outputs have the same product."""
    network, _, _ = reference((16, 16), "sigmoid", "squared-error")
    groups = [[1.0, *(factor.value for factor in group)] for group in known_factors(network, EXAMPLES)]
    products = [float(np.prod(chosen)) for chosen in product(*groups)]

    assert [len(group) for group in groups] == [3, 3, 2]
    assert all(len(combinations(ratio, network, EXAMPLES)) == (ratio != 1) for ratio in products)
    assert inspect.signature(gradcheck).parameters["examples"].default == EXAMPLES
