"""Explanation of one weight's gradient."""

from collections.abc import Callable
from itertools import pairwise, product

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_bp import Network
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.core.network import forward, mean_cost
from mnist_bp.errors import InputError
from mnist_bp.explanation.chain_rule import explain
from mnist_bp.explanation.result import Address, Explanation, Pull

SIZES = (7, 6, 5, 4)
EVERY = list(product(ACTIVATIONS, COSTS))


def made(activation: str = "sigmoid", cost: str = "squared-error", sizes: tuple[int, ...] = SIZES) -> Network:
    """A network with unequal layers, none of its biases 0."""
    rng = np.random.default_rng(2)
    network = Network(sizes, activation=activation, cost=cost, rng=rng, dtype=np.float64)
    for b in network.biases:
        b += rng.standard_normal(b.shape) / 4
    return network


@pytest.fixture
def batch(rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Nine examples and their labels."""
    return rng.random((9, 7)), rng.integers(0, 4, 9)


def explained(network: Network, batch: tuple, address: Address | None = None, example: int = 3) -> Explanation:
    """The explanation for one row of the batch."""
    return explain(network, *batch, example, address, 0.1)


@pytest.mark.parametrize(("activation", "cost"), EVERY)
def test_the_product_is_backpropagations_derivative_everywhere(activation: str, cost: str, batch: tuple) -> None:
    """Factor by factor for every weight and bias of the network, beside ``backpropagate``: equal to 1e-12."""
    network = made(activation, cost)
    _, gradient = network.backpropagate(batch[0][3:4], batch[1][3:4])

    for layer, (n_in, n_out) in enumerate(pairwise(SIZES), 1):
        for j, k in product(range(n_out), [*range(n_in), None]):
            factors = explained(network, batch, Address(layer, j, k)).factors
            expected = gradient.biases[layer - 1][j] if k is None else gradient.weights[layer - 1][j, k]
            assert factors.product == pytest.approx(expected, rel=1e-12, abs=1e-18)
            assert factors.backprop == pytest.approx(expected, rel=1e-12, abs=1e-18)
            assert factors.complex_step == pytest.approx(expected, rel=1e-9, abs=1e-17)


@pytest.mark.parametrize(("activation", "cost"), EVERY)
def test_the_paths_add_up_to_the_sensitivity_of_the_neuron(activation: str, cost: str, batch: tuple) -> None:
    """∂C_0/∂a_j of a hidden neuron is the sum over the next layer's neurons, and so on along the strongest path."""
    network = made(activation, cost)

    explanation = explained(network, batch, Address(1, 2, 4))

    first, second = explanation.paths
    assert (first.layer, first.neuron, len(first.paths)) == (1, 2, 5)
    assert (second.layer, len(second.paths)) == (2, 4)
    assert first.total == pytest.approx(explanation.factors.dC_da, rel=1e-12)
    strongest = max(first.paths, key=lambda path: abs(path.contribution))
    assert second.neuron == strongest.to
    assert second.total == pytest.approx(strongest.dC_da, rel=1e-12)
    for path in first.paths:
        assert path.contribution == pytest.approx(path.w * path.slope * path.dC_da, rel=1e-12)
        assert path.dC_dz == pytest.approx(path.slope * path.dC_da, rel=1e-12)
        assert path.w == network.weights[1][path.to, 2]
    for path in second.paths:
        assert path.contribution == pytest.approx(path.w * path.dC_dz, rel=1e-12)


def test_an_output_weight_has_the_lessons_three_factors(batch: tuple) -> None:
    """a_k, σ′(z_j) = a_j (1 − a_j) and 2 (a_j − y_j), and no paths to follow."""
    network = made()
    trace = forward(network, batch[0][3:4])
    a_j, y_j = trace.A[3][0, 1], float(batch[1][3] == 1)

    explanation = explained(network, batch, Address(3, 1, 4))

    factors = explanation.factors
    assert factors.name == "w_{1,4}^(3)"
    assert factors.a_k == pytest.approx(trace.A[2][0, 4])
    assert factors.slope == pytest.approx(a_j * (1 - a_j))
    assert factors.dC_da == pytest.approx(2 * (a_j - y_j))
    assert explanation.paths == []


@pytest.mark.parametrize("cost", ["cross-entropy", "binary-cross-entropy"])
def test_an_output_with_a_cross_entropy_has_two_factors(cost: str, batch: tuple) -> None:
    """a_k and a_j − y_j: σ′ has cancelled."""
    network = made(cost=cost)

    factors = explained(network, batch, Address(3, 1, 4)).factors

    assert (factors.slope, factors.dC_da) == (None, None)
    assert factors.product == pytest.approx(factors.a_k * factors.dC_dz)


def test_a_bias_is_a_weight_whose_input_is_one(batch: tuple) -> None:
    """A bias has the factors of a weight, with a = 1."""
    factors = explained(made(), batch, Address(2, 3, None)).factors

    assert (factors.name, factors.a_k) == ("b_{3}^(2)", 1.0)


def test_without_an_address_the_most_sensitive_weight_is_explained(batch: tuple) -> None:
    """The weight with the largest derivative of this example's cost; the ranking starts with it."""
    network = made()
    _, gradient = network.backpropagate(batch[0][3:4], batch[1][3:4])

    explanation = explained(network, batch)

    assert abs(explanation.factors.product) == pytest.approx(max(np.abs(W).max() for W in gradient.weights))
    assert explanation.sensitive[0].name == explanation.factors.name
    all_weights = np.concatenate([np.abs(W).ravel() for W in gradient.weights])
    assert [abs(told.derivative) for told in explanation.sensitive] == pytest.approx(np.sort(all_weights)[:-6:-1])
    assert explanation.sensitive[-1].multiple == 1
    for told in explanation.sensitive:
        assert told.multiple == pytest.approx(abs(told.derivative / explanation.sensitive[-1].derivative))


@pytest.mark.parametrize("brightest", [0, 6])
def test_the_most_sensitive_weight_may_come_from_any_input(brightest: int, batch: tuple) -> None:
    """The first pixel and the last one; a bias is not in the ranking, however sensitive."""
    X = np.full((9, 7), 0.01)
    X[:, brightest] = 0.9

    explanation = explained(made(sizes=(7, 4)), (X, batch[1]))

    names = [told.name for told in explanation.sensitive]
    assert sorted(names[:4]) == [f"w_{{{j},{brightest}}}^(1)" for j in range(4)]
    assert len(names) == 5
    assert names[4].startswith("w_")


def test_the_nudge_is_what_the_cost_does(batch: tuple) -> None:
    """C at w and at w + 0.01, and their ratio, which is near the derivative."""
    network = made()

    nudge = explained(network, batch, Address(2, 1, 1)).nudge

    moved = network.astype(np.float64)
    moved.weights[1][1, 1] += 0.01
    one = (batch[0][3:4], batch[1][3:4])
    assert nudge.by == 0.01
    assert nudge.before == network.backpropagate(*one)[0]
    assert nudge.after == moved.backpropagate(*one)[0]
    assert nudge.ratio == pytest.approx((nudge.after - nudge.before) / 0.01)
    assert nudge.ratio == pytest.approx(nudge.derivative, rel=0.05)


@pytest.mark.parametrize(
    ("cost", "factor", "share"),
    [
        ("squared-error", 2, lambda a, y: (a - y) ** 2),
        ("cross-entropy", 1, lambda a, y: -y * np.log(a)),
        ("binary-cross-entropy", 1, lambda a, y: -np.log(a if y else 1 - a)),
    ],
)
def test_the_shares_of_the_outputs_add_up_to_the_cost(cost: str, factor: int, share: Callable, batch: tuple) -> None:
    """The cost is ten squares, one logarithm or ten. Only the nudge of the correct output is positive."""
    network = made(cost=cost)

    explanation = explained(network, batch)

    assert sum(output.cost for output in explanation.outputs) == pytest.approx(explanation.cost)
    for digit, output in enumerate(explanation.outputs):
        assert (output.nudge > 0) == (digit == batch[1][3])
        assert output.nudge == pytest.approx(factor * (output.y - output.a))
        assert output.cost == pytest.approx(share(output.a, output.y))


def test_what_the_outputs_ask_of_the_layer_before_is_minus_its_sensitivity(batch: tuple) -> None:
    """All outputs' wishes added: −∂C_0/∂a_k, so that following it a little lowers the cost."""
    network = made()
    asked = np.array(explained(network, batch).asked)
    a = forward(network, batch[0][3:4]).A[2]
    Y = network.targets(batch[1][3:4])

    before, after = (forward(network, inputs, start=2) for inputs in (a, a + 1e-4 * asked))
    before, after = (mean_cost(network, trace, Y) for trace in (before, after))

    assert after - before == pytest.approx(-1e-4 * (asked @ asked), rel=1e-2)


def test_the_mini_batch_counts_who_wants_what(batch: tuple) -> None:
    """Up where the derivative is negative, down where it is positive; the mean is the mini-batch's derivative."""
    network = made()
    address = Address(3, 2, 1)
    singles = [network.backpropagate(x[None], label[None])[1] for x, label in zip(*batch, strict=True)]
    wanted = np.array([gradient.weights[2][2, 1] for gradient in singles])
    mean = network.backpropagate(*batch)[1]

    found = explained(network, batch, address).batch

    assert (found.up, found.down) == (int((wanted < 0).sum()), int((wanted > 0).sum()))
    assert found.mean == pytest.approx(mean.weights[2][2, 1])
    assert found.examples == 9
    assert found.by_label == pytest.approx({int(y): wanted[batch[1] == y].mean() for y in np.unique(batch[1])})
    assert found.pulls == [
        Pull(i, batch[1][i], pytest.approx(wanted[i]), pytest.approx(abs(wanted[i]) / np.abs(wanted).sum()))
        for i in np.abs(wanted).argsort()[::-1][:5]
    ]
    assert found.agreement == pytest.approx(abs(wanted.sum()) / np.abs(wanted).sum())
    own = singles[3].vector
    cosine = own @ mean.vector / np.linalg.norm(own) / np.linalg.norm(mean.vector)
    assert found.cosine == pytest.approx(cosine)


def test_a_weight_from_a_silent_neuron_is_pulled_by_nobody(batch: tuple) -> None:
    """Its derivative is 0 for every example: neither up nor down, no shares, no agreement."""
    network = made("relu")
    network.biases[0][...] = -100

    found = explained(network, batch, Address(2, 1, 1)).batch

    assert (found.up, found.down, found.mean, found.agreement) == (0, 0, 0, 0)
    assert {pull.share for pull in found.pulls} == {0}
    assert set(found.by_label.values()) == {0}


def test_where_nothing_is_left_to_learn_nothing_is_divided_by_nothing(batch: tuple) -> None:
    """Outputs that are exactly right: a gradient of 0, with an angle to none, and no weight more sensitive."""
    network = made()
    network.biases[-1][...] = [-1_000, -1_000, 1_000, -1_000]

    explanation = explain(network, batch[0], np.full(9, 2), 3, None, 0.1)

    assert (explanation.cost, explanation.batch.cosine, explanation.batch.agreement) == (0, 0, 0)
    assert {told.multiple for told in explanation.sensitive} == {0}


def test_the_step_keeps_most_of_its_promise_when_it_is_short(batch: tuple) -> None:
    """−η |∇C|² is promised; a short step gets nearly that, a long one less."""
    network = made()
    gradient = network.backpropagate(*batch)[1].vector

    short, long = (explain(network, *batch, 3, None, rate).step for rate in (0.001, 10.0))

    assert (short.learning_rate, long.learning_rate) == (0.001, 10.0)
    assert short.promised == pytest.approx(-0.001 * gradient @ gradient)
    assert short.came == pytest.approx(short.promised, rel=1e-3)
    assert long.came > long.promised


def test_norms_are_those_of_the_examples_gradient(batch: tuple) -> None:
    """Array by array."""
    network = made()
    arrays = network.backpropagate(batch[0][3:4], batch[1][3:4])[1].named_arrays()

    norms = explained(network, batch).norms

    assert norms == pytest.approx({name: np.linalg.norm(array) for name, array in arrays.items()})


def test_a_network_without_hidden_layers_is_explained(batch: tuple) -> None:
    """One layer, no paths."""
    explanation = explained(made(sizes=(7, 4)), batch)

    assert explanation.paths == []
    assert list(explanation.norms) == ["W1", "b1"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (Address(0, 0, 0), "there is no layer 0: expected 1 to 3"),
        (Address(4, 0, 0), "there is no layer 4"),
        (Address(3, 4, 0), "no neuron 4 in layer 3: expected 0 to 3"),
        (Address(3, 0, 5), "no weight of layer 3 comes from neuron 5: expected k from 0 to 4"),
        (Address(2, 5, None), "no neuron 5 in layer 2"),
    ],
)
def test_a_parameter_that_does_not_exist_names_the_range(address: Address, said: str, batch: tuple) -> None:
    """Layers, then neurons, then where from."""
    with pytest.raises(InputError, match=said):
        explained(made(), batch, address)


@pytest.mark.parametrize(("activation", "cost"), EVERY)
def test_the_pixels_are_the_last_step_of_backpropagation(activation: str, cost: str, batch: tuple) -> None:
    """∂C_0/∂a^(0) of the example, in the shape of the image, equals the complex step of each pixel."""
    network = made(activation, cost)
    x, y = batch[0][3:4], batch[1][3:4]
    nudged = network.astype(np.complex128)
    steps = [
        mean_cost(nudged, forward(nudged, x + 1e-20j * (np.arange(7) == k)), network.targets(y)).imag / 1e-20
        for k in range(7)
    ]

    [flat] = explained(network, batch).pixels
    shaped = explain(network, *batch, 3, None, 0.1, image_shape=(7, 1)).pixels

    assert flat == pytest.approx(steps, rel=1e-9, abs=1e-17)
    assert flat == pytest.approx(network.input_gradient(x, y)[1][0], rel=1e-12, abs=1e-18)
    assert shaped == [[value] for value in flat]
