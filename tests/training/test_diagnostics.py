"""Diagnostics of networks whose values were computed by hand."""

import json
import math
from dataclasses import asdict, dataclass, replace

import numpy as np
import pytest

from mnist_bp.network import Network
from mnist_bp.training.diagnostics import EXAMPLES, Health, inspect, warnings
from mnist_bp.training.evaluation import Evaluation, evaluate

GOOD = Evaluation(cost=0.1, confusion=np.array([[5, 1], [1, 5]]))
"""A test in which all is well."""

WELL = Health(saturated=(0.6, 0.1), dead=None, gradient_norm=(0.05, 0.02, 0.01), never_predicted=(), at_chance=False)
"""A network of sigmoids as the defaults leave it."""

SLOW = replace(WELL, saturated=(0.06, 0.0), never_predicted=tuple(range(1, 10)), at_chance=True)
"""One that has not learned anything yet, but may."""

RELUS = replace(WELL, saturated=None, dead=(0.1, 0.0))


def network(sizes=(1, 2, 2), activation="sigmoid", cost="squared-error", dtype=np.float64):
    """A network whose weights and biases are all 0."""
    made = Network(sizes, activation=activation, cost=cost, rng=np.random.default_rng(0), dtype=dtype)
    made.parameters[...] = 0
    return made


def look(net, X, labels=None, test=GOOD):
    """Inspect a network on these inputs. Default labels: 0."""
    X = np.asarray(X, net.dtype)
    return inspect(net, X, np.zeros(len(X), np.uint8) if labels is None else np.asarray(labels, np.uint8), test)


# --- the figures ------------------------------------------------------------------------------------------------------


def test_saturated_is_a_share_of_examples_and_neurons():
    """Neuron 0 has z = 5 x, neuron 1 z = 0; of x = 0, 0.9, 1 and −1, the last two saturate neuron 0: 2 of 8 cases."""
    net = network()
    net.weights[0][0, 0] = 5
    assert look(net, [[0], [0.9], [1], [-1]]).saturated == (2 / 8,)  # σ′(4.5) = 0.0109, σ′(5) = 0.0066


def test_tanh_saturates_by_its_own_derivative():
    """1 − tanh² z is 0.0130 at z = 2.9 and 0.0099 at 3."""
    net = network(activation="tanh")
    net.weights[0][:, 0] = 1
    assert look(net, [[2.9], [3.0]]).saturated == (1 / 2,)


def test_each_hidden_layer_has_its_own_share_and_the_outputs_have_none():
    """Layer 2 and the outputs are saturated by their biases, layer 1 is not."""
    net = network((1, 2, 3, 2))
    net.biases[1][...] = 9
    net.biases[2][...] = 9
    assert look(net, [[1], [2]]).saturated == (0, 1)


def test_a_relu_is_dead_if_no_example_activates_it():
    """For z = x, −x, x − 5 and 0 · x, the last two are never positive for x = 1 and −2."""
    net = network((1, 4, 2), activation="relu")
    net.weights[0][:, 0] = 1, -1, 1, 0
    net.biases[0][2] = -5
    assert look(net, [[1], [-2]]).dead == (2 / 4,)


@pytest.mark.parametrize(
    ("activation", "saturates", "dies"),
    [("sigmoid", True, False), ("tanh", True, False), ("relu", False, True), ("leaky-relu", False, False)],
)
def test_what_an_activation_cannot_suffer_from_is_none(activation, saturates, dies):
    """A relu does not saturate, a sigmoid does not die, and a leaky relu neither: None, not a comforting 0."""
    health = look(network(activation=activation), [[1]])
    assert (health.saturated is not None, health.dead is not None) == (saturates, dies)


def test_the_norm_is_that_of_a_layers_weights_and_biases_together():
    """Without a hidden layer, z = 0 and y = (1, 0): ∂C/∂z is 2 (½ − 1) ¼ and 2 (½) ¼, ∂C/∂w that times x = 3."""
    health = look(network((1, 2)), [[3]])
    assert health.gradient_norm == pytest.approx((math.sqrt(2 * 0.25**2 * (3**2 + 1)),), rel=1e-12)
    assert health.saturated == ()


def test_the_norms_are_those_of_backpropagation():
    """They are the norms of the mean cost's gradient, layer by layer."""
    rng = np.random.default_rng(1)
    net = Network((4, 3, 5, 2), rng=rng, dtype=np.float64)
    X, labels = rng.random((6, 4)), rng.integers(0, 2, 6)
    gradient = net.backpropagate(X, labels)[1]
    expected = [
        math.sqrt(float((W**2).sum() + (b**2).sum())) for W, b in zip(gradient.weights, gradient.biases, strict=True)
    ]
    assert look(net, X, labels).gradient_norm == pytest.approx(expected, rel=1e-12)


def test_the_norm_of_a_tiny_gradient_is_not_0():
    """∂C/∂w_0 = −½ · 1e-30 in float32, where its square would be 0; both classes in equal parts: ∂C/∂b = 0."""
    net = network((1, 2), cost="cross-entropy", dtype=np.float32)
    norm = look(net, [[1e-30], [-1e-30]], [0, 1]).gradient_norm
    assert norm == pytest.approx((math.sqrt(2) * 0.5e-30,), rel=1e-6, abs=0)


def test_a_class_that_the_test_has_not_is_not_missed():
    """In this confusion matrix, 1 is in the test set but never predicted, 2 does not occur, 3 is only misclassified."""
    confusion = np.array([[4, 0, 0, 0], [3, 0, 0, 2], [0, 0, 0, 0], [1, 0, 0, 0]])
    assert look(network((1, 4)), [[1]], test=Evaluation(0.1, confusion)).never_predicted == (1,)


UNEVEN = np.array([[6, 0, 0], [3, 0, 0], [1, 0, 0]])
"""Confusion matrix of ten examples, six of class 0, three of 1, one of 2: p = 0.6, 0.3, 0.1."""

BY_HAND = {
    "squared-error": 0.6 * 0.4 + 0.3 * 0.7 + 0.1 * 0.9,
    "cross-entropy": -(0.6 * math.log(0.6) + 0.3 * math.log(0.3) + 0.1 * math.log(0.1)),
    "binary-cross-entropy": -sum(p * math.log(p) + (1 - p) * math.log(1 - p) for p in (0.6, 0.3, 0.1)),
}


@pytest.mark.parametrize("cost", BY_HAND)
@pytest.mark.parametrize(("factor", "at_chance"), [(0.98, False), (1.0, True), (0.999, True), (5.0, True)])
def test_chance_is_the_best_constant_answer(cost, factor, at_chance):
    """Σ p (1 − p), the entropy, and those of the outputs; a per cent of wavering is no better."""
    test = Evaluation(factor * BY_HAND[cost], UNEVEN)
    assert look(network((1, 3), cost=cost), [[1]], test=test).at_chance is at_chance


@pytest.mark.parametrize("cost", BY_HAND)
def test_a_network_that_answers_the_frequencies_is_at_chance(cost):
    """Biases that make its outputs p, whatever the input: with ``evaluate``, as in training."""
    net, p = network((1, 3), cost=cost), np.array([0.6, 0.3, 0.1])
    net.biases[0][...] = np.log(p) if cost == "cross-entropy" else np.log(p / (1 - p))
    labels = np.repeat([0, 1, 2], [6, 3, 1]).astype(np.uint8)
    health = look(net, np.ones((10, 1)), labels, evaluate(net, np.ones((10, 1)), labels))
    assert health.at_chance
    assert health.never_predicted == (1, 2)


def test_where_there_is_one_class_nobody_is_at_chance():
    """The constant answer costs nothing there; no network can be better."""
    assert not look(network((1, 3)), [[1]], test=Evaluation(1e-9, np.diag([9, 0, 0]))).at_chance


EVERY = [
    ("sigmoid", "squared-error"),
    ("tanh", "cross-entropy"),
    ("relu", "squared-error"),
    ("leaky-relu", "cross-entropy"),
    ("sigmoid", "binary-cross-entropy"),
]
"""Each activation, and each cost."""


@pytest.mark.parametrize(("activation", "cost"), EVERY)
def test_figures_are_plain_and_survive_json(activation, cost):
    """Tuples of floats and ints, and a bool: no numpy scalar, which JSON does not know."""
    net = Network((4, 3, 2), activation=activation, cost=cost, rng=np.random.default_rng(0))
    never_one = Evaluation(0.1, np.array([[5, 0], [7, 0]]))
    figures = asdict(look(net, np.random.default_rng(1).random((EXAMPLES, 4)), test=never_one))
    back = json.loads(json.dumps(figures, allow_nan=False))
    assert back == {name: list(value) if isinstance(value, tuple) else value for name, value in figures.items()}


@pytest.mark.parametrize(("activation", "cost"), [*EVERY, ("sigmoid", "cross-entropy"), ("relu", "cross-entropy")])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e38])
def test_numbers_that_overflow_do_no_harm(activation, cost, number):
    """No exception and no warning; a cost that is not a number is no better than chance."""
    net = network((2, 3, 2), activation, cost, np.float32)
    net.parameters[...] = number
    health = look(net, [[1, 3], [2, 0]], test=replace(GOOD, cost=math.nan))
    assert health.at_chance
    assert warnings(health)


def test_looking_changes_nothing():
    """Neither the network nor the examples."""
    net = Network((4, 3, 2), rng=np.random.default_rng(0))
    X = np.random.default_rng(1).random((5, 4), np.float32)
    before = net.parameters.copy(), X.copy()
    look(net, X)
    np.testing.assert_array_equal(net.parameters, before[0])
    np.testing.assert_array_equal(X, before[1])


# --- what is said of them ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("health", [WELL, RELUS])
@pytest.mark.parametrize("finished", [True, False])
def test_of_a_healthy_network_there_is_nothing_to_say(health, finished):
    """Nor of one without a hidden layer."""
    assert warnings(health, finished=finished) == []
    assert warnings(replace(health, saturated=(), dead=None, gradient_norm=(0.1,)), finished=finished) == []


def test_a_small_gradient_is_no_complaint_of_a_network_that_has_learned():
    """At the bottom of the valley it is flat in every layer, the last one included."""
    assert warnings(replace(WELL, gradient_norm=(1e-9, 1e-9, 1e-9))) == []
    assert warnings(replace(WELL, gradient_norm=(0, 0, 0))) == []


def test_saturated_layers_are_named_with_their_shares():
    """The one that is not saturated is not."""
    assert warnings(replace(WELL, saturated=(0.97, 0.2, 1.0))) == [
        (
            "layers 1, 3: the neurons are saturated (σ′ < 0.01) in 97 %, 100 % of all cases, so hardly any gradient "
            "passes through them: try a smaller --learning-rate"
        )
    ]


def test_saturation_weighs_more_where_nothing_is_learned():
    """At chance, 70 % are a cause; in a network that learns, they are not."""
    saturated = replace(WELL, saturated=(0.7, 0.1))
    assert warnings(saturated) == []
    chance, cause = warnings(replace(saturated, at_chance=True))
    assert chance == "the test cost is at chance (a constant output for every image costs no more)"
    assert cause.startswith("layer 1: the neurons are saturated (σ′ < 0.01) in 70 % of all cases")


def test_dead_relus_are_counted():
    """And said while the training lasts: they do not come back."""
    assert warnings(replace(RELUS, dead=(0.3, 0.75)), finished=False) == [
        (
            "layer 2: 75 % of the neurons are dead (no example activates them) and cannot learn: "
            "try a smaller --learning-rate, or --activation leaky-relu"
        )
    ]


def test_a_gradient_that_vanishes_is_reported_with_both_norms():
    """The layer with the least of it; relus, which this network has not, are a way out."""
    assert warnings(replace(WELL, gradient_norm=(3e-6, 4e-7, 2e-3, 0.01))) == [
        (
            "layer 2: the gradient vanishes (its norm is 4e-07 here, 0.01 in the last layer): "
            "try fewer hidden layers, or --activation relu"
        )
    ]


def test_relus_are_not_advised_to_who_has_them():
    """Only fewer layers are."""
    (line,) = warnings(replace(RELUS, gradient_norm=(1e-6, 1e-3, 0.1)))
    assert line.endswith("try fewer hidden layers")


def test_one_trouble_is_reported_once():
    """Saturated or dead neurons also make the gradient vanish."""
    (line,) = warnings(replace(WELL, saturated=(1.0, 1.0), gradient_norm=(1e-9, 1e-6, 0.1)))
    assert "saturated" in line
    (line,) = warnings(replace(RELUS, dead=(1.0, 1.0), gradient_norm=(0, 0, 0.1)))
    assert "dead" in line


def test_outputs_that_are_stuck_are_distinguished_from_a_vanishing_gradient():
    """At chance with no gradient in the last layer either."""
    health = replace(SLOW, gradient_norm=(0.0, 0.0, 3e-7))
    assert warnings(health)[1:] == [
        (
            "layer 3: the outputs are stuck (the norm of the gradient is 3e-07), so no layer can learn: "
            "try a smaller --learning-rate"
        )
    ]


def test_chance_without_a_cause_is_a_complaint_only_at_the_end():
    """A network that starts slowly may still learn; one that has ended there should know."""
    assert warnings(SLOW, finished=False) == []
    assert warnings(SLOW) == [
        (
            "the test cost is at chance (a constant output for every image costs no more): "
            "try more --epochs, or another --learning-rate"
        )
    ]


@pytest.mark.parametrize(
    ("never", "named"),
    [((3,), "class 3"), ((3, 5), "classes 3, 5"), (tuple(range(7)), "classes 0, 1, 2, 3, 4 and 2 more")],
)
def test_classes_that_are_never_answered_are_named_at_the_end(never, named):
    """The first five of them by name."""
    health = replace(WELL, never_predicted=never)
    assert warnings(health, finished=False) == []
    assert warnings(health) == [
        f"{named}: never predicted on the test set: try more --epochs, or a smaller --learning-rate"
    ]


# --- both together ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hidden", "activation"),
    [(hidden, "sigmoid") for hidden in ((), (16, 16), (16,) * 8, (32, 32, 32), (300, 100), (800,))]
    + [((32, 32, 32), activation) for activation in ("tanh", "relu", "leaky-relu")],
)
def test_a_fresh_network_is_healthy(hidden, activation):
    """Also a wide one, whose last hidden layer starts mostly off: that is not saturation."""
    rng = np.random.default_rng(5)
    net = Network((784, *hidden, 10), activation=activation, rng=rng)
    assert warnings(look(net, rng.random((EXAMPLES, 784), np.float32), rng.integers(0, 10, EXAMPLES))) == []


def test_eight_layers_of_sixteen_sigmoids_with_small_weights_lose_the_gradient():
    """The weights are a quarter of those that are drawn, so each layer passes on a small fraction."""
    rng = np.random.default_rng(5)
    net = Network((784, *[16] * 8, 10), rng=rng)
    net.parameters *= 0.25
    (line,) = warnings(look(net, rng.random((EXAMPLES, 784), np.float32), rng.integers(0, 10, EXAMPLES)))
    assert "the gradient vanishes" in line


def test_weights_that_are_far_too_large_saturate():
    """A thousand times the initial ones."""
    rng = np.random.default_rng(5)
    net = Network((784, 16, 16, 10), rng=rng)
    net.parameters *= 1000
    health = look(net, rng.random((EXAMPLES, 784), np.float32), rng.integers(0, 10, EXAMPLES))
    assert "saturated" in warnings(health)[0]


def test_a_record_of_another_version_is_read():
    """It may lack a field that was added later, and have one that is not known here."""

    @dataclass(frozen=True)
    class Later(Health):
        stalled: bool | None = None

    record = asdict(WELL)
    assert Later.from_record(record) == Later(**record, stalled=None)
    assert Health.from_record({**record, "stalled": True}) == WELL
