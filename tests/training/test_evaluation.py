"""Evaluation of networks, compared with values computed by hand."""

import numpy as np
import pytest

from mnist_bp.network import Network
from mnist_bp.training.evaluation import EXAMPLES_AT_ONCE, Evaluation, evaluate

BY_HAND = Evaluation(cost=0.5, confusion=np.array([[3, 1, 0], [2, 4, 0], [0, 2, 0]]))
"""Four of class 0, six of class 1, two of class 2, which is never answered."""


def test_accuracy_is_the_share_on_the_diagonal():
    """7 of 12 are right."""
    assert BY_HAND.examples == 12
    assert BY_HAND.accuracy == 7 / 12


@pytest.mark.parametrize(
    ("label", "precision", "recall", "f1", "support"),
    [(0, 3 / 5, 3 / 4, 2 / 3, 4), (1, 4 / 7, 4 / 6, 8 / 13, 6), (2, None, 0, 0, 2)],
)
def test_precision_recall_and_f1_of_each_class(label, precision, recall, f1, support):
    """Precision divides by the column, recall by the row; a class that is never predicted has none."""
    score = BY_HAND.per_class()[label]
    assert score.label == label
    assert score.precision == (None if precision is None else pytest.approx(precision, abs=1e-15))
    assert (score.recall, score.f1) == pytest.approx((recall, f1), abs=1e-15)
    assert score.support == support


def test_a_class_without_examples_has_no_recall():
    """It is undefined; so are precision and F1 of a class that is never predicted either."""
    assert Evaluation(cost=0.0, confusion=np.array([[5, 0], [0, 0]])).per_class()[1] == (1, None, None, None, 0)
    assert Evaluation(cost=0.0, confusion=np.array([[4, 1], [0, 0]])).per_class()[1] == (1, 0, None, 0, 0)


def always(answer):
    """A network of two inputs that gives one answer to everything."""
    network = Network([2, 3], rng=np.random.default_rng(0), dtype=np.float64)
    network.weights[0][...] = 0
    network.biases[0][...] = -40
    network.biases[0][answer] = 40
    return network


def test_rows_are_the_truth_and_columns_the_answers():
    """A network that always answers 2 fills column 2 with how many there are of each class."""
    labels = np.array([0, 0, 0, 1, 2, 2], np.uint8)
    result = evaluate(always(2), np.zeros((6, 2)), labels)
    np.testing.assert_array_equal(result.confusion, [[0, 0, 3], [0, 0, 1], [0, 0, 2]])


def test_cost_is_the_mean_over_the_examples():
    """Wrong outputs (0, 0, 1) for (1, 0, 0) cost 2, right ones 0: with 4 of 6 wrong, 8/6."""
    labels = np.array([0, 0, 0, 1, 2, 2], np.uint8)
    assert evaluate(always(2), np.zeros((6, 2)), labels).cost == pytest.approx(8 / 6, rel=1e-12)


@pytest.mark.parametrize("examples", [1, *(EXAMPLES_AT_ONCE + more for more in (-1, 0, 1)), 2 * EXAMPLES_AT_ONCE + 7])
def test_chunks_do_not_show(examples):
    """However many examples, each is counted once and the cost is that of all at once."""
    rng = np.random.default_rng(0)
    network = Network([5, 4, 3], rng=rng, dtype=np.float64)
    inputs, labels = rng.random((examples, 5)), rng.integers(0, 3, examples).astype(np.uint8)
    result = evaluate(network, inputs, labels)
    assert result.examples == examples
    assert result.accuracy == np.mean(network.forward(inputs).argmax(axis=1) == labels)
    assert result.cost == pytest.approx(float(network.backpropagate(inputs, labels)[0]), rel=1e-12)


def test_mistakes_are_those_with_the_most_active_wrong_outputs():
    """They come from all chunks, in order, at most as many as exist, and only misclassified ones."""
    rng = np.random.default_rng(0)
    network = Network([5, 3], rng=rng, dtype=np.float64)
    inputs = rng.random((2 * EXAMPLES_AT_ONCE + 7, 5))
    labels = rng.integers(0, 3, len(inputs)).astype(np.uint8)
    outputs = network.forward(inputs)
    answers = outputs.argmax(axis=1)
    wrong = np.flatnonzero(answers != labels)
    wrong = wrong[np.argsort(-outputs.max(axis=1)[wrong])]
    found = list(evaluate(network, inputs, labels, mistakes=10**9).mistakes)
    assert [mistake[:3] for mistake in found] == [(i, labels[i], answers[i]) for i in wrong]
    np.testing.assert_allclose([mistake.output for mistake in found], outputs.max(axis=1)[wrong], rtol=1e-12)
    assert list(evaluate(network, inputs, labels, mistakes=5).mistakes) == found[:5]


def test_of_equally_confident_mistakes_the_first_example_comes_first():
    """Across chunks, too; a network that is always right has none."""
    labels = np.zeros(EXAMPLES_AT_ONCE + 2, np.uint8)
    labels[[0, EXAMPLES_AT_ONCE]] = 1
    found = list(evaluate(always(0), np.zeros((EXAMPLES_AT_ONCE + 2, 2)), labels, mistakes=3).mistakes)
    assert found == [(0, 1, 0, 1.0), (EXAMPLES_AT_ONCE, 1, 0, 1.0)]
    assert list(evaluate(always(1), np.zeros((1, 2)), labels[:1], mistakes=3).mistakes) == []


def test_grey_levels_are_scaled_as_evaluate_scales_them():
    """The outputs for 255 (uint8) and for 1 (float) are equal."""
    network = Network([1, 2], rng=np.random.default_rng(0), dtype=np.float64)
    network.weights[0][:, 0], network.biases[0][...] = (1, -1), 0
    [mistake] = evaluate(network, np.array([[255]], np.uint8), np.array([1], np.uint8), mistakes=1).mistakes
    assert mistake == pytest.approx((0, 1, 0, 1 / (1 + np.exp(-1))))
