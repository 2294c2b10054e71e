"""The lesson, claim by claim: what it says of backpropagation, each statement as a test that can fail.

The order is the lesson's: what one example wants, how the examples are averaged, the walk in mini-batches, and then the
calculus, on a chain of single neurons first and on whole layers after it. Numbers in comments are worked by hand.
"""

from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_bp import Network
from mnist_bp.core.choices import ACTIVATIONS
from mnist_bp.core.network import backward, forward, mean_cost
from mnist_bp.core.optimizers import SGD
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.data.batches import mini_batches
from mnist_bp.data.datasets import Examples
from mnist_bp.data.synthetic import digits as draw_digits
from mnist_bp.training.epoch_inputs import ALL, MiniBatch
from mnist_bp.training.evaluation import EXAMPLES_AT_ONCE, evaluate
from mnist_bp.training.gradients import Gradients
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import train

SIZES = [784, 16, 16, 10]
Floats = NDArray[np.float64]


def fresh(sizes: list[int] = SIZES, seed: int = 0, **settings: Any) -> Network:
    """A network as training starts with it, in float64."""
    return Network(sizes, rng=np.random.default_rng(seed), dtype=np.float64, **settings)


def network(*layers: tuple[Any, Any], **settings: Any) -> Network:
    """A network of the given weights and biases, one (W, b) for each layer."""
    sizes = [len(layers[0][0][0]), *(len(b) for _, b in layers)]
    made = fresh(sizes, **settings)
    for i, (W, b) in enumerate(layers):
        made.weights[i][...], made.biases[i][...] = W, b
    return made


def outputs_of(*activations: float) -> list[float]:
    """The z at which sigmoids are these activations: ln a/(1 − a)."""
    return [float(np.log(a / (1 - a))) for a in activations]


def nudged(net: Network, name: str, by: float, index: Any = ...) -> Network:
    """A copy in which one parameter, say W3 at (0, 0), has grown by ``by``."""
    twin = net.astype(net.dtype)
    twin.named_arrays()[name][index] += by
    return twin


def cost_of(net: Network, x: Any, y: Any) -> float:
    """C, the mean over the examples given."""
    return float(net.backpropagate(x, y)[0])


def gradient_of(net: Network, x: Any, y: Any) -> dict[str, Floats]:
    """∇C by the names of its arrays: W1, b1, …, WL, bL."""
    return net.backpropagate(x, y)[1].named_arrays()


def desired_outputs(net: Network, x: Any, y: Any) -> Floats:
    """Return −∂C/∂a_j of each output. The gradient of its bias is ∂C/∂a_j times σ′ = a_j (1 − a_j)."""
    a = net.forward(x)[0]
    return -gradient_of(net, x, y)[f"b{len(net.biases)}"] / (a * (1 - a))


def step_down(net: Network, direction: Floats, length: float) -> Network:
    """A copy, moved by ``length`` against ``direction``."""
    twin = net.astype(net.dtype)
    twin.parameters -= length * direction / np.linalg.norm(direction)
    return twin


def cosine(u: Floats, v: Floats) -> float:
    """Return the cosine of the angle between two vectors: 1 for equal directions, 0 for orthogonal ones."""
    return float(u @ v / (np.linalg.norm(u) * np.linalg.norm(v)))


@pytest.fixture(scope="module")
def image_of_a_2() -> Floats:
    """One 2, as a row of 784 grey levels."""
    digits = Examples(*draw_digits(50, seed=0, split="train"))
    return digits.inputs(np.float64)[[digits.labels.tolist().index(2)]]


@pytest.fixture(scope="module")
def digits() -> tuple[Floats, NDArray[np.uint8]]:
    """A training set of 3,000 synthetic digits."""
    drawn = Examples(*draw_digits(3_000, seed=0, split="train"))
    return drawn.inputs(np.float64), drawn.labels


# --- the gradient: how sensitive the cost is to each weight and bias --------------------------------------------------


def test_the_gradient_has_one_component_for_each_of_13_002_weights_and_biases(image_of_a_2: Floats) -> None:
    """The 784-16-16-10 network's cost is a function of 13,002 numbers; counted from w_0, the last one is w_13,001."""
    # (784 + 1) · 16 = 12,560        (16 + 1) · 16 = 272        (16 + 1) · 10 = 170        together 13,002
    net = fresh()

    gradient = net.backpropagate(image_of_a_2, [2])[1]

    assert gradient.vector.shape == net.parameters.shape == (13_002,)
    assert [W.size + b.size for W, b in zip(gradient.weights, gradient.biases, strict=True)] == [12_560, 272, 170]


def test_a_component_of_3_2_is_32_times_as_sensitive_as_one_of_0_1() -> None:
    """The size of a component is a sensitivity: the same small nudge moves the cost 32 times as much."""
    # One neuron, z = 0, so a = 1/2 and σ′ = 1/4; y = 1. −∂C/∂w_k = −x_k · 1/4 · 2 (1/2 − 1) = x_k / 4.
    net, x, y = network(([[0, 0]], [0])), [[12.8, 0.4]], [[1]]

    assert -gradient_of(net, x, y)["W1"] == pytest.approx(np.array([[3.2, 0.1]]))
    first, second = (cost_of(nudged(net, "W1", 1e-6, (0, k)), x, y) - cost_of(net, x, y) for k in (0, 1))
    assert (first, second) == pytest.approx((-3.2e-6, -0.1e-6), rel=1e-4)
    assert first / second == pytest.approx(32, rel=1e-4)


def test_the_negative_gradient_is_the_most_rapid_decrease(image_of_a_2: Floats, rng: np.random.Generator) -> None:
    """The proportions count, not just the signs: no other step of the same length lowers the cost as much."""
    net = fresh()
    gradient = net.backpropagate(image_of_a_2, [2])[1].vector
    others = [np.sign(gradient), *(gradient + noise * np.std(gradient) for noise in rng.standard_normal((20, 13_002)))]

    costs = [cost_of(step_down(net, direction, 1e-3), image_of_a_2, [2]) for direction in [gradient, *others]]

    assert costs[0] < min(costs[1:]) < cost_of(net, image_of_a_2, [2])


# --- what one image of a 2 wants --------------------------------------------------------------------------------------


def test_a_2_wants_output_2_up_and_the_others_down_in_proportion_to_their_distance() -> None:
    """Each output's desired nudge has the direction and the proportion of what it lacks of its target."""
    # −∂C/∂a_j = 2 (y_j − a_j): for the 2, 2 (1 − 0.2) = 1.6; for the 8, 2 (0 − 0.2) = −0.4, a quarter of it.
    random_looking = (0.5, 0.8, 0.2, 0.9, 0.4, 0.6, 0.9, 0.1, 0.2, 0.1)
    net = network((np.zeros((10, 1)), outputs_of(*random_looking)))

    wanted = desired_outputs(net, [[1]], [2])

    assert wanted == pytest.approx(np.array([-1.0, -1.6, 1.6, -1.8, -0.8, -1.2, -1.8, -0.2, -0.4, -0.2]))


def test_a_step_moves_the_outputs_the_way_they_want() -> None:
    """Outputs cannot be set; weights and biases can, and a step down does move output 2 up and all others down."""
    net = network((np.zeros((10, 1)), outputs_of(0.5, 0.8, 0.2, 0.9, 0.4, 0.6, 0.9, 0.1, 0.2, 0.1)))
    before = net.forward([[1]])[0]

    SGD().step(net.parameters, net.backpropagate([[1]], [2])[1].vector, 0.1)

    assert np.flatnonzero(net.forward([[1]])[0] > before).tolist() == [2]
    assert np.count_nonzero(net.forward([[1]])[0] < before) == 9


# One output neuron at 0.2 that should rise, fed by three neurons:
# z = 2 · 0.1 − 1 · 0.8 + 0.5 · 0.4 + b = ln(0.2 / 0.8) = −1.3863, so b = −0.9863; σ′ = 0.2 · 0.8 = 0.16.
WEIGHTS, ACTIVATIONS_BEFORE = np.array([2.0, -1.0, 0.5]), np.array([0.1, 0.8, 0.4])


def neuron_at_one_fifth() -> Network:
    """The neuron above, alone."""
    return network(([WEIGHTS], [outputs_of(0.2)[0] - WEIGHTS @ ACTIVATIONS_BEFORE]))


def test_three_avenues_lead_to_a_brighter_output() -> None:
    """More bias; weights, in proportion to the activations; activations, in proportion to the weights; or all three."""
    h = 0.1
    net = neuron_at_one_fifth()
    weights = nudged(net, "W1", h * ACTIVATIONS_BEFORE)
    brighter = ACTIVATIONS_BEFORE + h * WEIGHTS  # up where the weight is positive, dimmer where it is negative

    def output(net: Network, a: Floats = ACTIVATIONS_BEFORE) -> float:
        return float(net.forward([a])[0, 0])

    assert output(net) == pytest.approx(0.2)
    # In first order, each adds σ′ times its Δz: h = 0.1; h Σ a² = 0.081; h Σ w² = 0.525.
    assert output(nudged(net, "b1", h)) == pytest.approx(0.2 + 0.16 * 0.1, abs=0.002)
    assert output(weights) == pytest.approx(0.2 + 0.16 * 0.081, abs=0.002)
    assert output(net, brighter) == pytest.approx(0.2 + 0.16 * 0.525, abs=0.02)
    alone = max(output(nudged(net, "b1", h)), output(weights), output(net, brighter))
    assert output(nudged(weights, "b1", h), brighter) > alone


def test_weights_from_brighter_neurons_have_more_influence() -> None:
    """∂C/∂w_k is proportional to a_k: the weights' desired nudges are as 0.1 : 0.8 : 0.4, and so are their effects."""
    net = neuron_at_one_fifth()
    x, y = [ACTIVATIONS_BEFORE], [[1]]

    wanted = -gradient_of(net, x, y)["W1"][0]
    effects = [cost_of(nudged(net, "W1", 1e-5, (0, k)), x, y) - cost_of(net, x, y) for k in range(3)]

    assert wanted == pytest.approx(1.6 * 0.16 * ACTIVATIONS_BEFORE)
    assert np.array(effects) / effects[0] == pytest.approx(np.array([1, 8, 4]), rel=1e-3)


def test_a_brighter_pixels_weight_gets_the_larger_nudge_in_proportion(image_of_a_2: Floats) -> None:
    """In the first layer a_k is a pixel: the nudges of a neuron's 784 weights are the image once more, dark ones 0."""
    x = image_of_a_2[0]
    gradient = gradient_of(fresh(), image_of_a_2, [2])["W1"]

    assert np.count_nonzero(x == 0) > 784 / 2
    for nudges in gradient:
        assert nudges / nudges[x.argmax()] == pytest.approx(x / x.max(), rel=1e-12)


def test_nudging_in_proportion_gets_the_most_out_of_it(rng: np.random.Generator) -> None:
    """For their length, weight nudges ∝ activations raise the output most, and so do activation nudges ∝ weights."""
    net, h = neuron_at_one_fifth(), 1e-3
    directions = [d / np.linalg.norm(d) for d in rng.standard_normal((100, 3))]

    def by_weights(d: Floats) -> float:
        return float(nudged(net, "W1", h * d).forward([ACTIVATIONS_BEFORE])[0, 0])

    def by_activations(d: Floats) -> float:
        return float(net.forward([ACTIVATIONS_BEFORE + h * d])[0, 0])

    assert by_weights(ACTIVATIONS_BEFORE / np.linalg.norm(ACTIVATIONS_BEFORE)) > max(map(by_weights, directions))
    assert by_activations(WEIGHTS / np.linalg.norm(WEIGHTS)) > max(map(by_activations, directions))


def test_neurons_that_fire_together_wire_together(image_of_a_2: Floats) -> None:
    """On seeing a 2, the link that gains most runs from the most active hidden neuron to the output that is to rise."""
    net = fresh()
    active = forward(net, image_of_a_2).A[net.L - 1][0]

    increase = -gradient_of(net, image_of_a_2, [2])["W3"]

    assert np.unravel_index(increase.argmax(), increase.shape) == (2, active.argmax())
    assert (increase[2] > 0).all()
    assert (np.delete(increase, 2, axis=0) < 0).all()


def test_the_desires_of_all_output_neurons_are_added(image_of_a_2: Floats) -> None:
    """The requested change of the previous layer is the sum of ten requests, each as if no other output were wrong."""
    net = fresh()
    a, y = net.forward(image_of_a_2), net.targets([2])
    alone = [np.where(np.arange(10) == j, y, a) for j in range(10)]  # every other output is content as it is

    desires = [gradient_of(net, image_of_a_2, wish) for wish in alone]

    together = gradient_of(net, image_of_a_2, [2])
    for name in ("W1", "b1", "W2", "b2"):
        assert np.abs(desires[2][name] - together[name]).max() > 1e-5  # the 2's own desire is not all of it
        assert sum(desire[name] for desire in desires) == pytest.approx(together[name], rel=1e-9, abs=1e-15)


# --- all examples are averaged ----------------------------------------------------------------------------------------


def test_the_cost_and_its_derivative_are_means_over_the_examples() -> None:
    """C is the average of the C_i, so each of its derivatives is the average of theirs."""
    # One neuron, w = b = 0: a = 1/2, σ′ = 1/4.   x = 1, y = 1: C = 1/4, ∂C/∂w = 1 · 1/4 · −1 = −1/4, ∂C/∂b = −1/4.
    #                                             x = 3, y = 0: C = 1/4, ∂C/∂w = 3 · 1/4 · +1 = +3/4, ∂C/∂b = +1/4.
    net = network(([[0]], [0]))

    cost, gradient = net.backpropagate([[1], [3]], [[1], [0]])

    assert cost == pytest.approx(1 / 4)
    assert gradient.weights[0].item() == pytest.approx((-1 / 4 + 3 / 4) / 2)
    assert gradient.biases[0].item() == pytest.approx(0)


def test_every_example_wants_something_else_and_the_nudges_are_averaged(digits: tuple) -> None:
    """Going through the examples one by one and averaging what they want, 13,002 numbers each, is the gradient."""
    net, X, labels = fresh(), digits[0][:20], digits[1][:20]

    one_by_one = [net.backpropagate(X[i : i + 1], labels[i : i + 1])[1].vector for i in range(20)]

    assert min(cosine(u, v) for u, v in pairwise(one_by_one)) < 0.5
    assert net.backpropagate(X, labels)[1].vector == pytest.approx(np.mean(one_by_one, axis=0), rel=1e-9, abs=1e-15)


def after_200_steps(X: Floats, labels: Any) -> Network:
    """A network that has followed what these examples want, on average, step after step."""
    net = fresh()
    for _ in range(200):
        SGD().step(net.parameters, net.backpropagate(X, labels)[1].vector, 4.0)
    return net


def test_who_listens_to_a_2_alone_answers_2_to_everything(
    image_of_a_2: Floats, few_digits: tuple[Examples, Examples]
) -> None:
    """One example's wishes make a network that sees a 2 in every image, whatever digit it shows."""
    test = few_digits[1]

    net = after_200_steps(image_of_a_2, [2])

    assert set(test.labels.tolist()) == set(range(10))
    assert set(net.forward(test.inputs(np.float64)).argmax(axis=1).tolist()) == {2}


def test_averaging_over_all_examples_does_not(few_digits: tuple[Examples, Examples]) -> None:
    """After as many steps along the average of 500 examples, this network classifies all ten digits, most correctly."""
    examples, test = few_digits

    net = after_200_steps(examples.inputs(np.float64), examples.labels)

    confusion = evaluate(net, test.inputs(np.float64), test.labels).confusion
    assert (confusion.sum(axis=0) > 0).all()
    assert confusion.trace() > 0.7 * len(test)


# --- repeated steps downhill ------------------------------------------------------------------------------------------


def test_backpropagation_only_computes_the_gradient_and_gradient_descent_steps_along_it() -> None:
    """Two divided tasks: the first leaves every parameter alone; the second takes η ∂C/∂p off each."""
    # x = y = 1, w = b = 0: both derivatives are −1/4; with η = 2, both parameters become 0 + 2 / 4.
    net = network(([[0]], [0]))

    gradient = net.backpropagate([[1]], [[1]])[1].vector

    assert net.parameters.tolist() == [0, 0]
    SGD().step(net.parameters, gradient, 2.0)
    assert net.parameters == pytest.approx(np.array([1 / 2, 1 / 2]))


def test_every_small_step_downhill_lowers_the_cost(digits: tuple) -> None:
    """The walker who asks all examples before each step gets lower with every one of them."""
    net, (X, labels) = fresh(), digits
    costs = []
    for _ in range(40):
        cost, gradient = net.backpropagate(X, labels)
        costs.append(cost)
        SGD().step(net.parameters, gradient.vector, 0.5)

    assert all(after < before for before, after in pairwise(costs))


def test_the_walk_ends_where_the_training_examples_are_answered_well(few_digits: tuple[Examples, Examples]) -> None:
    """Steps repeated long enough lead to a low place of the cost: the network is then right on what it learned from."""
    net, examples = fresh(), few_digits[0]
    X, labels = examples.inputs(np.float64), examples.labels
    start = evaluate(net, X, labels)

    list(train(net, (X, labels), (X, labels), Settings(epochs=200, batch_size=100, learning_rate=2.0, seed=0)))

    end = evaluate(net, X, labels)
    assert end.cost < start.cost / 10
    assert end.accuracy > 0.95


# --- mini-batches -----------------------------------------------------------------------------------------------------


def test_the_training_set_is_shuffled_and_cut_into_mini_batches_of_100(digits: tuple) -> None:
    """3,000 examples make 30 times 100, each example once, with its own label, in an order that is new each epoch."""
    labels = digits[1]
    numbered = np.arange(3_000.0)[:, np.newaxis]

    epochs = [list(mini_batches(numbered, labels, 100, seed=0, epoch=epoch)) for epoch in (1, 2)]

    orders = [np.concatenate([rows[:, 0] for rows, _ in batches]).astype(int) for batches in epochs]
    assert [len(rows) for rows, _ in epochs[0]] == [100] * 30
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(3_000))
    assert np.count_nonzero(orders[0] == orders[1]) < 30
    assert np.count_nonzero(orders[0] == np.arange(3_000)) < 30
    for rows, own in epochs[0]:
        assert (own == labels[rows[:, 0].astype(int)]).all()


def test_a_mini_batch_step_costs_a_fraction_of_a_full_step(digits: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of 100 asks one in 30 of the 3,000 examples; for what one full step costs there are 30 steps."""
    examples: list[int] = []  # that go into each gradient: the cost of a step is proportional to their number
    compute = Gradients.__call__

    def counting(self: Gradients, batch: MiniBatch, part: slice = ALL) -> tuple[Floats, ParameterVector]:
        if (n := len(batch.labels[part])) <= EXAMPLES_AT_ONCE:
            examples.append(n)
        return compute(self, batch, part)

    monkeypatch.setattr(Gradients, "__call__", counting)
    steps = {}
    for batch_size in (100, 3_000):
        net, settings = fresh(), Settings(epochs=1, batch_size=batch_size, learning_rate=1.0, seed=0)
        list(train(net, digits, digits, settings))
        steps[batch_size] = examples.copy()
        examples.clear()

    # The full step is computed in three parts.
    assert steps == {100: [100] * 30, 3_000: [EXAMPLES_AT_ONCE] * 3}


def test_a_mini_batchs_gradient_points_roughly_the_same_way(digits: tuple) -> None:
    """It is not the gradient, but resembles it: its cosine with what all other examples want is far above chance."""
    # Two directions without anything in common have a cosine of about ± 1/√13,002 = ± 0.009.
    net, (X, labels) = fresh(), digits
    for epoch, at_least in ((0, 0.5), (20, 0.4)):
        list(
            train(
                net,
                (X, labels),
                (X[:10], labels[:10]),
                Settings(epochs=epoch, batch_size=100, learning_rate=2.0, seed=0),
            )
        )
        full = net.backpropagate(X, labels)[1].vector
        cosines = []
        for batch in mini_batches(X, labels, 100, seed=1, epoch=1):
            own = net.backpropagate(*batch)[1].vector
            cosines.append(cosine(own, 30 * full - own))  # the sum of the 29 others

        assert at_least < np.mean(cosines) < 0.99
        assert np.mean(np.array(cosines) > 0) > 0.9


def test_mini_batch_gradients_are_off_but_right_on_average(digits: tuple) -> None:
    """No mini-batch has the actual gradient of the cost, yet the mean over one epoch's mini-batches is exactly that."""
    net, (X, labels) = fresh(), digits
    full = net.backpropagate(X, labels)[1].vector

    of_batches = [net.backpropagate(*batch)[1].vector for batch in mini_batches(X, labels, 100, seed=0, epoch=1)]

    assert min(np.linalg.norm(own - full) for own in of_batches) > np.linalg.norm(full) / 10
    assert np.mean(of_batches, axis=0) == pytest.approx(full, rel=1e-9, abs=1e-14)


def test_quick_stumbling_steps_get_further_down_than_slow_exact_ones(digits: tuple) -> None:
    """When both have looked at as many examples, the drunk walker is lower down than the careful one."""
    costs = {}
    for batch_size in (100, 3_000):
        net = fresh()
        list(train(net, digits, digits, Settings(epochs=10, batch_size=batch_size, learning_rate=2.0, seed=0)))
        costs[batch_size] = cost_of(net, *digits)

    assert costs[100] < costs[3_000] / 2


def test_the_mini_batch_walk_stumbles(digits: tuple) -> None:
    """Some of its steps lead uphill on the whole cost, and it goes less straight than as many exact steps do."""
    net, (X, labels) = fresh(), digits
    list(
        train(
            net,
            (X, labels),
            (X[:10], labels[:10]),
            Settings(epochs=10, batch_size=100, learning_rate=2.0, seed=0),
        )
    )
    careful, costs = net.astype(np.float64), [cost_of(net, X, labels)]
    drunk, exact = [net.parameters.copy()], [net.parameters.copy()]

    for batch in mini_batches(X, labels, 100, seed=0, epoch=11):
        SGD().step(net.parameters, net.backpropagate(*batch)[1].vector, 2.0)
        SGD().step(careful.parameters, careful.backpropagate(X, labels)[1].vector, 2.0)
        drunk.append(net.parameters.copy())
        exact.append(careful.parameters.copy())
        costs.append(cost_of(net, X, labels))

    def straightness(places: list[Floats]) -> float:
        return float(np.linalg.norm(places[-1] - places[0]) / sum(np.linalg.norm(q - p) for p, q in pairwise(places)))

    assert sum(after > before for before, after in pairwise(costs)) >= 3
    assert costs[-1] < costs[0]
    assert straightness(drunk) < straightness(exact) / 2


# --- the calculus, on a chain of single neurons -----------------------------------------------------------------------

# 1-1-1-1, x = 1/2, y = 1:
#   w1 = 2 ln 3, b1 = 0:                z1 = ln 3        a1 = 3/4     σ′(z1) = 3/16
#   w2 = 4, b2 = −3:                    z2 = 0           a2 = 1/2     σ′(z2) = 1/4
#   w3 = 2, b3 = ln(0.66 / 0.34) − 1:   z3 = ln 0.66/0.34   a3 = 0.66    σ′(z3) = 0.66 · 0.34 = 0.2244
X, Y = [[0.5]], [[1.0]]
A1, A2, A3 = 3 / 4, 1 / 2, 0.66
SLOPE1, SLOPE2, SLOPE3 = 3 / 16, 1 / 4, 0.2244
DC_DA3 = -0.68  # 2 (0.66 − 1)
DC_DW3 = -0.076296  # 1/2 · 0.2244 · −0.68


def chain() -> Network:
    """The chain above."""
    return network(([[2 * np.log(3)]], [0]), ([[4]], [-3]), ([[2]], [outputs_of(0.66)[0] - 1]))


def test_a_chain_of_four_neurons_has_three_weights_and_three_biases() -> None:
    """Four layers of one neuron are determined by w and b of the last three."""
    net = chain()

    assert net.sizes == (1, 1, 1, 1)
    assert list(net.named_arrays()) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert net.parameters.shape == (6,)


def test_weight_activation_and_bias_make_z_which_makes_a_which_with_y_makes_the_cost() -> None:
    """Forward, by hand: a = 3/4, 1/2, 0.66, and with y = 1 the cost is (0.66 − 1)² = 0.1156."""
    net = chain()
    trace = forward(net, np.array(X))

    assert [a.item() for a in trace.A.values()] == pytest.approx([0.5, A1, A2, A3])
    assert trace.Z.item() == pytest.approx(2 * A2 + net.biases[2].item())
    assert cost_of(net, X, Y) == pytest.approx(0.1156)


def ratios(name: str, by: float) -> tuple[float, float, float]:
    """Δz/Δp, Δa/Δz and ΔC/Δa of the last neuron, when one of its parameters p is nudged."""
    before, after = chain(), nudged(chain(), name, by)
    old, new = forward(before, np.array(X)), forward(after, np.array(X))
    dz, da = (new.Z - old.Z).item(), (new.A[3] - old.A[3]).item()
    dC = cost_of(after, X, Y) - cost_of(before, X, Y)
    return dz / by, da / dz, dC / da


def test_three_ratios_of_nudges_multiplied_are_the_chain_rule() -> None:
    """A nudge to w moves z, that moves a, that moves C: ∂z/∂w = a, ∂a/∂z = σ′, ∂C/∂a = 2(a − y), and their product."""
    dz_dw, da_dz, dC_da = ratios("W3", 1e-6)

    assert dz_dw == pytest.approx(A2, rel=1e-6)
    assert da_dz == pytest.approx(SLOPE3, rel=1e-6)
    assert dC_da == pytest.approx(DC_DA3, rel=1e-6)
    assert dz_dw * da_dz * dC_da == pytest.approx(DC_DW3, rel=1e-5)
    assert gradient_of(chain(), X, Y)["W3"].item() == pytest.approx(A2 * SLOPE3 * DC_DA3) == pytest.approx(DC_DW3)


def test_the_derivative_is_the_ratio_of_the_costs_nudge_to_a_nudge_like_0_01() -> None:
    """ΔC / 0.01 is nearly the derivative; what is missing is the curve of the cost, and shrinks with the nudge."""
    # ∂²C/∂w² = a2² (2 σ′² + 2 (a3 − y) σ′ (1 − 2 a3)) = 1/4 (2 · 0.2244² + 0.68 · 0.2244 · 0.32) = 0.037385,
    # so the ratio at 0.01 is −0.076296 + 0.01/2 · 0.037385 = −0.076109.
    coarse, fine = ((cost_of(nudged(chain(), "W3", by), X, Y) - 0.1156) / by for by in (0.01, 0.001))

    assert coarse == pytest.approx(-0.076109, abs=2e-6)
    assert abs(coarse - DC_DW3) == pytest.approx(10 * abs(fine - DC_DW3), rel=0.02)


def test_the_bias_is_the_same_without_a() -> None:
    """∂z/∂b = 1 stands where ∂z/∂w = a stood; the other two factors are as they were."""
    dz_db, da_dz, dC_da = ratios("b3", 1e-6)

    assert dz_db == pytest.approx(1, rel=1e-6)
    assert (da_dz, dC_da) == pytest.approx((SLOPE3, DC_DA3), rel=1e-5)
    assert gradient_of(chain(), X, Y)["b3"].item() == pytest.approx(SLOPE3 * DC_DA3) == pytest.approx(DC_DW3 / A2)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_in_every_layer_a_weights_derivative_is_its_biass_times_the_input(number: int, image_of_a_2: Floats) -> None:
    """A weight scales one signal, a bias shifts the neuron as a whole: ∂C/∂w_jk = a_k ∂C/∂b_j, in any layer."""
    net = fresh()
    a = forward(net, image_of_a_2).A[number - 1][0]
    gradient = gradient_of(net, image_of_a_2, [2])

    assert gradient[f"W{number}"] == pytest.approx(np.outer(gradient[f"b{number}"], a), rel=1e-12)


def test_the_more_the_output_is_off_the_more_sensitive_is_the_cost() -> None:
    """∂C/∂a is proportional to a − y: three times the difference, three times every derivative; none, none."""
    near, far, right = (gradient_of(chain(), X, [[A3 + error]]) for error in (0.1, 0.3, 0))

    for name in near:
        assert far[name] == pytest.approx(3 * near[name])
        assert near[name].item() != 0
        assert right[name].item() == pytest.approx(0, abs=1e-15)


def test_z_is_as_sensitive_to_the_previous_activation_as_the_weight_is_large() -> None:
    """∂z/∂a^(L−1) = w: the same chain, begun with another factor; here 2 · 0.2244 · −0.68 = −0.305184."""
    net, by = chain(), 1e-6
    y, old, new = np.array(Y), forward(net, np.array([[A2]]), start=2), forward(net, np.array([[A2 + by]]), start=2)

    assert (new.Z - old.Z).item() / by == pytest.approx(2, rel=1e-6)
    moved = mean_cost(net, new, y) - mean_cost(net, old, y)
    assert moved.item() / by == pytest.approx(-0.305184, rel=1e-5)
    assert gradient_of(net, X, Y)["b2"].item() / SLOPE2 == pytest.approx(-0.305184)


# ∂C/∂a2 = w3 · −0.152592 = −0.305184       ∂C/∂b2 = 1/4 · −0.305184 = −0.076296       ∂C/∂w2 = 3/4 of that
# ∂C/∂a1 = w2 · −0.076296 = −0.305184       ∂C/∂b1 = 3/16 · −0.305184 = −0.057222      ∂C/∂w1 = 1/2 of that
BY_HAND = {"W1": -0.028611, "b1": -0.057222, "W2": -0.057222, "b2": -0.076296, "W3": -0.076296, "b3": -0.152592}


@pytest.mark.parametrize(("name", "by_hand"), BY_HAND.items())
def test_iterating_backwards_reaches_every_earlier_weight_and_bias(name: str, by_hand: float) -> None:
    """From ∂C/∂a of a layer to its w and b, and to ∂C/∂a of the layer before: all six by hand, and by nudging."""
    h = 1e-5
    rise = cost_of(nudged(chain(), name, h), X, Y) - cost_of(nudged(chain(), name, -h), X, Y)

    assert gradient_of(chain(), X, Y)[name].item() == pytest.approx(by_hand)
    assert rise / (2 * h) == pytest.approx(by_hand, rel=1e-6)


def test_activations_are_not_updated() -> None:
    """∂C/∂a is only a means: the gradient has no place for it, and what the neurons showed stays as it was."""
    net = chain()
    trace = forward(net, np.array(X))
    shown = [a.copy() for a in trace.A.values()]

    gradient = backward(net, trace, np.array(Y))

    assert list(gradient.named_arrays()) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert all((now == then).all() for now, then in zip(trace.A.values(), shown, strict=True))


# --- σ′: how responsive a neuron is -----------------------------------------------------------------------------------


def test_the_slope_of_a_sigmoid_is_a_times_1_minus_a() -> None:
    """Steepest, 1/4, in the middle, and flat at both ends; the same as a nudge to z finds."""
    σ = ACTIVATIONS["sigmoid"]
    z = np.linspace(-8, 8, 33)
    a = σ.f(z)

    assert σ.derivative(a) == pytest.approx((σ.f(z + 1e-5) - σ.f(z - 1e-5)) / 2e-5, rel=1e-5)
    assert σ.derivative(a) == pytest.approx(a * (1 - a))
    assert (σ.derivative(a).max(), z[σ.derivative(a).argmax()]) == (0.25, 0)


def test_the_slope_of_a_relu_is_0_or_1() -> None:
    """It lets all of the signal through, or none of it."""
    relu = ACTIVATIONS["relu"]

    assert relu.derivative(relu.f(np.array([-3, -0.1, 0.1, 3]))).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(("z", "slope"), [(0.5, 1.0), (-0.5, 0.0)])
def test_with_relu_the_chain_is_the_same_but_for_its_slope(z: float, slope: float) -> None:
    """Another σ changes the factor ∂a/∂z and nothing else."""
    # 1-1-1, x = 1, w1 = 0, b1 = z, w2 = 1, b2 = −a1: the output is 1/2; ∂C/∂z2 = 1/4 · 2 (1/2 − 1) = −1/4 = ∂C/∂a1.
    net = network(([[0]], [z]), ([[1]], [-max(z, 0)]), activation="relu")

    gradient = gradient_of(net, [[1]], [[1]])

    assert gradient["b1"].item() == pytest.approx(-1 / 4 * slope)
    assert gradient["W1"].item() == pytest.approx(1 * -1 / 4 * slope)
    assert gradient["W2"].item() == pytest.approx(max(z, 0) * -1 / 4)


def test_a_saturated_output_damps_the_signal_however_wrong_it_is() -> None:
    """If σ is flat, an error that is twice as large moves the weight thousands of times less."""
    # y = 0. z = 0: 2 (1/2) · 1/4 = 1/4. z = 10: a = 0.99995, σ′ = 4.54e-5, and 2 · 0.99995 · 4.54e-5 = 9.08e-5.
    awake, saturated = (gradient_of(network(([[0]], [z])), [[1]], [[0]])["W1"].item() for z in (0, 10))

    assert awake == pytest.approx(1 / 4)
    assert saturated == pytest.approx(9.08e-5, rel=1e-3)


def test_a_saturated_hidden_neuron_damps_all_that_lies_behind_it() -> None:
    """Its σ′ is a factor of every path through it: with a2 at its end, w1 hardly matters any more."""
    net = nudged(chain(), "b2", 10)  # z2 = 10

    gradient = gradient_of(net, X, Y)

    assert abs(gradient["W1"].item()) < 1e-3 * abs(gradient["b3"].item())


# --- layers of several neurons ----------------------------------------------------------------------------------------


def test_w_jk_goes_to_j_from_k_and_the_weighted_sums_are_a_matrix_times_a_vector() -> None:
    """Row j of W belongs to neuron j, which is why j stands first; w_01 carries a_1 to z_0 and to nothing else."""
    # z_0 = 1 · 1 + 2 · 0 + 3 · 2 + 0.5 = 7.5        z_1 = 4 · 1 + 5 · 0 + 6 · 2 − 1 = 15
    net = network(([[1, 2, 3], [4, 5, 6]], [0.5, -1]))
    a = np.array([[1.0, 0.0, 2.0]])

    assert forward(net, a).Z.tolist() == [[7.5, 15.0]]
    assert net.weights[0] @ a[0] + net.biases[0] == pytest.approx(forward(net, a).Z[0])
    assert (forward(nudged(net, "W1", 1, (0, 1)), a).Z - forward(net, a).Z).tolist() == [[0, 0]]  # a_1 is 0
    assert (forward(nudged(net, "W1", 1, (0, 2)), a).Z - forward(net, a).Z).tolist() == [[2, 0]]  # a_2 is 2
    assert [W.shape for W in fresh().weights] == [(16, 784), (16, 16), (10, 16)]


# 1-1-3, x = 1: the hidden neuron has z = 0, so a = 1/2 and σ′ = 1/4; it feeds three outputs with w = 2, −1, 4.
# Outputs 0.2, 0.9, 0.4, wanted 0, 1, 0:  σ′ 2(a − y) = 0.16 · 0.4 = 0.064,  0.09 · −0.2 = −0.018,  0.24 · 0.8 = 0.192.
FAN = np.array([[2.0], [-1.0], [4.0]])
DC_DZ = np.array([0.064, -0.018, 0.192])


def fan() -> Network:
    """The network above."""
    return network(([[0]], [0]), (FAN, outputs_of(0.2, 0.9, 0.4) - FAN[:, 0] / 2))


def test_the_cost_is_the_sum_over_the_outputs() -> None:
    """C_0 = 0.2² + 0.1² + 0.4² = 0.21, added up, not averaged; each output has its own derivative."""
    assert cost_of(fan(), [[1]], [1]) == pytest.approx(0.21)
    assert gradient_of(fan(), [[1]], [1])["b2"] == pytest.approx(DC_DZ)


def test_the_derivative_of_one_weight_among_many_looks_the_same() -> None:
    """∂C/∂w_jk is still a_k σ′(z_j) 2(a_j − y_j): only its own input, its own neuron, its own error."""
    assert gradient_of(fan(), [[1]], [1])["W2"][:, 0] == pytest.approx(1 / 2 * DC_DZ)


def dC_da_of_the_hidden_neuron(net: Network) -> float:
    """Return ∂C/∂a of the hidden neuron by backpropagation: ∂C/∂b1 divided by σ′ = 1/4."""
    return gradient_of(net, [[1]], [1])["b1"].item() / (1 / 4)


def without_path(net: Network, j: int) -> Network:
    """The path to output j, cut: the bias now gives what the hidden neuron gave, and every output is as it was."""
    twin = nudged(net, "b2", net.weights[1][j, 0] / 2, j)
    twin.weights[1][j, 0] = 0
    return twin


def test_a_hidden_neuron_influences_the_cost_on_several_paths_and_they_are_added() -> None:
    """∂C/∂a_k = Σ_j w_jk σ′(z_j) 2(a_j − y_j); cutting one path takes exactly its term out of the sum."""
    # 2 · 0.064 = 0.128        −1 · −0.018 = 0.018        4 · 0.192 = 0.768        together 0.914
    net = fan()
    sums = [dC_da_of_the_hidden_neuron(net)]
    for j in range(3):
        net = without_path(net, j)
        assert net.forward([[1]])[0] == pytest.approx(np.array([0.2, 0.9, 0.4]))
        sums.append(dC_da_of_the_hidden_neuron(net))

    assert sums == pytest.approx([0.914, 0.786, 0.768, 0], abs=1e-12)


def test_nudging_the_hidden_activation_itself_gives_that_sum() -> None:
    """Begun at a_k, the forward pass alone finds the same 0.914."""
    net, h, y = fan(), 1e-5, np.array([[0.0, 1.0, 0.0]])
    traces = [forward(net, np.array([[1 / 2 + by]]), start=1) for by in (h, -h)]
    up, down = (mean_cost(net, trace, y) for trace in traces)

    assert (up - down) / (2 * h) == pytest.approx(0.914, rel=1e-6)


# --- the whole recursion, in three notations --------------------------------------------------------------------------


def index_form(W: list[Floats], A: list[list[float]], y: list[float]) -> list[float]:
    """∂C/∂w of all weights and biases, as ``parameters`` has them, one index at a time. Sigmoids, squared error."""
    n = [len(a) for a in A]
    dC_da = [2 * (a - y_j) for a, y_j in zip(A[-1], y, strict=True)]
    found: list[float] = []
    for i in reversed(range(len(W))):
        slope = [a * (1 - a) for a in A[i + 1]]
        weights = [A[i][k] * slope[j] * dC_da[j] for k in range(n[i]) for j in range(n[i + 1])]
        biases = [slope[j] * dC_da[j] for j in range(n[i + 1])]
        found = weights + biases + found
        dC_da = [sum(W[i][j, k] * slope[j] * dC_da[j] for j in range(n[i + 1])) for k in range(n[i])]
    return found


def δ_form(W: list[Floats], A: list[Floats], δ: Floats) -> ParameterVector:
    """From δ^L: ∂C/∂b = δ, ∂C/∂W = δ (a of the layer before)ᵀ, and δ^l = (Wᵀ δ^(l+1)) ⊙ a^l (1 − a^l)."""
    gradient = ParameterVector.zeros([len(a) for a in A], np.float64)
    for i in reversed(range(len(W))):
        gradient.weights[i][...], gradient.biases[i][...] = np.outer(δ, A[i]), δ
        δ = (W[i].T @ δ) * A[i] * (1 - A[i])
    return gradient


def small_case(cost: str = "squared-error") -> tuple[Network, Floats, list[int]]:
    """A network of unequal layers, five examples for it, and their labels."""
    rng = np.random.default_rng(4)
    net = fresh([5, 4, 3, 4], cost=cost)
    net.parameters += rng.standard_normal(net.parameters.shape) / 4
    return net, rng.random((5, 5)), [2, 0, 3, 1, 2]


def test_index_form_delta_form_and_matrix_form_are_one() -> None:
    """One index at a time, one δ for each layer, or matrices with a row for each example: the same gradient."""
    net, X, labels = small_case()
    trace, Y = forward(net, X), net.targets(labels)

    matrix = backward(net, trace, Y).vector

    rows = [[A[i] for A in trace.A.values()] for i in range(5)]
    index = [index_form(net.weights, [a.tolist() for a in A], y.tolist()) for A, y in zip(rows, Y, strict=True)]
    δ = [δ_form(net.weights, A, 2 * (A[-1] - y) * A[-1] * (1 - A[-1])).vector for A, y in zip(rows, Y, strict=True)]
    assert matrix == pytest.approx(np.mean(index, axis=0), rel=1e-12, abs=1e-17)
    assert matrix == pytest.approx(np.mean(δ, axis=0), rel=1e-12, abs=1e-17)


def test_deeper_down_the_paths_multiply_and_are_still_added() -> None:
    """∂C/∂a of a first-layer neuron: each of its 3 · 4 paths to the cost is a product of w σ′ along it."""
    net, X, labels = small_case()
    a = [A[0] for A in forward(net, X[:1]).A.values()]
    error = 2 * (a[3] - net.targets(labels)[0])
    slopes = [values * (1 - values) for values in a]

    def path(k: int, j: int, i: int) -> float:
        return net.weights[1][j, k] * slopes[2][j] * net.weights[2][i, j] * slopes[3][i] * error[i]

    summed = [sum(path(k, j, i) for j, i in product(range(3), range(4))) for k in range(4)]

    assert gradient_of(net, X[:1], labels[:1])["b1"] == pytest.approx(slopes[1] * summed, rel=1e-12)


def test_with_cross_entropy_only_the_output_factor_changes() -> None:
    """δ^L becomes a − y; from there backwards, all is as it was under squared error."""
    net, X, labels = small_case("cross-entropy")
    a, y = [A[0] for A in forward(net, X[:1]).A.values()], net.targets(labels)[0]

    gradient = net.backpropagate(X[:1], labels[:1])[1]

    assert gradient.biases[-1] == pytest.approx(a[-1] - y, rel=1e-12)
    assert gradient.vector == pytest.approx(δ_form(net.weights, a, a[-1] - y).vector, rel=1e-12, abs=1e-17)


def test_cross_entropys_output_is_not_damped_where_it_is_saturated() -> None:
    """The σ′ that squared error multiplies with has cancelled: sure and wrong, it still learns with full strength."""
    # Outputs z = (10, 0), the right one is the second: a_0 = 1/(1 + e^−10) = 0.99995 = ∂C/∂z_0.
    wrong = {cost: network(([[0], [0]], [10, 0]), cost=cost) for cost in ("cross-entropy", "squared-error")}

    assert gradient_of(wrong["cross-entropy"], [[1]], [1])["b1"][0] == pytest.approx(0.99995, abs=1e-5)
    assert gradient_of(wrong["squared-error"], [[1]], [1])["b1"][0] == pytest.approx(9.08e-5, rel=1e-3)
