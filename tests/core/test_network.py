"""Forward and backpropagate."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_bp import Network
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.core.network import Masks, backward, forward, mean_cost
from mnist_bp.core.regularization import draw_masks
from mnist_bp.errors import InputError

SIZES = (7, 5, 4, 3)
EVERY = list(product(ACTIVATIONS, COSTS))


def network(activation: str = "sigmoid", cost: str = "squared-error", dtype: type = np.float64) -> Network:
    """A network with unequal layers, its biases no longer 0."""
    rng = np.random.default_rng(3)
    made = Network(SIZES, activation=activation, cost=cost, rng=rng, dtype=dtype)
    for b in made.biases:
        b += rng.standard_normal(b.shape) / 4
    return made


@pytest.fixture
def batch(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Six examples and their labels."""
    return rng.standard_normal((6, 7)), np.array([0, 2, 1, 1, 0, 2])


def index_by_index(net: Network, x: NDArray[np.float64], label: int) -> tuple[list[NDArray[np.float64]], ...]:
    """∂C_0/∂w_jk and ∂C_0/∂b_j of one example from the lesson's formulas, one index at a time, and nothing else."""
    σ = {
        "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
        "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
        "relu": (lambda z: max(z, 0.0), lambda z: float(z > 0)),
        "leaky-relu": (lambda z: z if z > 0 else z / 100, lambda z: 1.0 if z > 0 else 0.01),
    }
    L, n = len(net.weights), net.sizes
    a, z = [[float(value) for value in x]], [[]]
    for l in range(1, L + 1):
        W, b = net.weights[l - 1], net.biases[l - 1]
        z.append([sum(W[j, k] * a[l - 1][k] for k in range(n[l - 1])) + b[j] for j in range(n[l])])
        f = σ[net.activation if l < L else "sigmoid"][0]
        a.append([f(z[l][j]) for j in range(n[l])])
    y = [float(j == label) for j in range(n[L])]
    if net.cost == "cross-entropy":
        total = sum(np.exp(z[L][j]) for j in range(n[L]))
        dC_dz = {L: [np.exp(z[L][j]) / total - y[j] for j in range(n[L])]}
    elif net.cost == "binary-cross-entropy":
        dC_da = [-y[j] / a[L][j] + (1 - y[j]) / (1 - a[L][j]) for j in range(n[L])]
        dC_dz = {L: [σ["sigmoid"][1](z[L][j]) * dC_da[j] for j in range(n[L])]}
    else:
        dC_dz = {L: [σ["sigmoid"][1](z[L][j]) * 2 * (a[L][j] - y[j]) for j in range(n[L])]}
    for l in range(L - 1, 0, -1):
        dC_da = [sum(net.weights[l][j, k] * dC_dz[l + 1][j] for j in range(n[l + 1])) for k in range(n[l])]
        dC_dz[l] = [σ[net.activation][1](z[l][j]) * dC_da[j] for j in range(n[l])]
    dW = [
        np.array([[a[l - 1][k] * dC_dz[l][j] for k in range(n[l - 1])] for j in range(n[l])]) for l in range(1, L + 1)
    ]
    return dW, [np.array(dC_dz[l]) for l in range(1, L + 1)]


@pytest.mark.parametrize(("activation", "cost"), EVERY)
def test_backpropagation_is_the_lessons_index_form(activation: str, cost: str, batch: tuple) -> None:
    """Matrix products or one w_jk at a time: the same gradient, to 1e-12."""
    net = network(activation, cost)
    X, labels = batch

    _, gradient = net.backpropagate(X, labels)

    singles = [index_by_index(net, x, label) for x, label in zip(X, labels, strict=True)]
    for i in range(len(net.weights)):
        assert gradient.weights[i] == pytest.approx(np.mean([dW[i] for dW, _ in singles], axis=0), rel=1e-12, abs=1e-16)
        assert gradient.biases[i] == pytest.approx(np.mean([db[i] for _, db in singles], axis=0), rel=1e-12, abs=1e-16)


@pytest.mark.parametrize(("activation", "cost"), EVERY)
def test_the_gradient_of_a_batch_is_the_mean_of_its_examples(activation: str, cost: str, batch: tuple) -> None:
    """Averaging the nudges of single examples, or asking for all at once: the same."""
    net = network(activation, cost)
    X, labels = batch

    total_cost, gradient = net.backpropagate(X, labels)

    singles = [net.backpropagate(X[i : i + 1], labels[i : i + 1]) for i in range(len(X))]
    assert total_cost == pytest.approx(np.mean([c for c, _ in singles]), rel=1e-14)
    assert gradient.vector == pytest.approx(np.mean([g.vector for _, g in singles], axis=0), rel=1e-12, abs=1e-17)


@pytest.mark.parametrize(("activation", "cost"), EVERY)
def test_every_derivative_is_what_a_complex_step_finds(activation: str, cost: str, batch: tuple) -> None:
    """The forward pass in complex numbers gives Im C(w + ih) / h, one parameter at a time."""
    net = network(activation, cost)
    nudged = net.astype(np.complex128)

    numerical = np.empty(len(net.parameters))
    for i in range(len(numerical)):
        nudged.parameters[i] += 1e-20j
        numerical[i] = nudged.backpropagate(*batch)[0].imag / 1e-20
        nudged.parameters[i] = net.parameters[i]

    assert net.backpropagate(*batch)[1].vector == pytest.approx(numerical, rel=1e-11, abs=1e-16)


def test_forward_by_hand() -> None:
    """A 2-2-1 network of sigmoids: z = (0, ln 3), a = (1/2, 3/4), z = 4 · 1/2 − 4 · 3/4 + 1 = 0, a = 1/2."""
    net = Network([2, 2, 1], rng=np.random.default_rng(0), dtype=np.float64)
    net.weights[0][...] = [[1, -1], [0, np.log(3)]]
    net.biases[0][...] = 0
    net.weights[1][...] = [[4, -4]]
    net.biases[1][...] = 1

    assert net.forward([[1, 1]]) == pytest.approx(np.array([[0.5]]))


def test_labels_and_one_hot_rows_are_the_same(batch: tuple) -> None:
    """y may be integers or rows."""
    net = network()
    X, labels = batch

    from_labels, from_rows = net.backpropagate(X, labels), net.backpropagate(X, np.eye(3)[labels])

    assert from_labels[0] == from_rows[0]
    assert (from_labels[1].vector == from_rows[1].vector).all()


def test_rows_are_taken_in_the_networks_dtype_and_copied_for_nothing_else() -> None:
    """Whole numbers become float32; float32 stays the very array that it was."""
    net, whole_numbers = network(dtype=np.float32), np.eye(3, dtype=int)
    rows = net.targets(whole_numbers)

    assert rows.dtype == np.float32
    assert rows.tolist() == whole_numbers.tolist()
    assert net.targets(rows) is rows


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_one_dtype_throughout(dtype: type, batch: tuple) -> None:
    """Parameters, outputs, cost and gradient are all of the network's dtype."""
    net = network(dtype=np.float64).astype(dtype)

    cost, gradient = net.backpropagate(*batch)

    assert {net.parameters.dtype, net.forward(batch[0]).dtype, cost.dtype, gradient.vector.dtype} == {np.dtype(dtype)}


def test_float32_agrees_with_float64_as_far_as_it_goes(batch: tuple) -> None:
    """The code that trains is the code that is checked, in another dtype."""
    double = network().backpropagate(*batch)[1].vector
    single = network().astype(np.float32).backpropagate(*batch)[1].vector

    assert single == pytest.approx(double, rel=1e-4, abs=1e-7)


def test_nothing_is_parked_and_nothing_is_overwritten(batch: tuple) -> None:
    """Inputs, labels and parameters stay as they were, and a second time gives the same."""
    net = network()
    X, labels = batch
    before = (X.copy(), labels.copy(), net.parameters.copy())

    first = net.backpropagate(X, labels)[1].vector.copy()
    second = net.backpropagate(X, labels)[1].vector

    assert (first == second).all()
    assert all((old == new).all() for old, new in zip(before, (X, labels, net.parameters), strict=True))


def test_the_gradient_can_be_written_where_there_is_room_for_it(batch: tuple) -> None:
    """``out`` is filled and returned."""
    net = network()
    trace, Y = forward(net, net.inputs(batch[0])), net.targets(batch[1])
    fresh = backward(net, trace, Y)
    room = type(fresh).zeros(net.sizes, np.float64)

    assert backward(net, trace, Y, out=room) is room
    assert (room.vector == fresh.vector).all()


def test_the_layers_above_one_can_run_by_themselves(batch: tuple) -> None:
    """A forward pass from a^(1) on gives the activations of a complete one."""
    net = network()
    whole = forward(net, batch[0])

    upper = forward(net, whole.A[1], start=1)

    assert list(upper.A) == [1, 2, 3]
    assert (upper.A[3] == whole.A[3]).all()
    assert (upper.Z == whole.Z).all()


def test_the_same_rng_gives_the_same_network() -> None:
    """Weights come from ``rng`` and from nowhere else; there is no default."""
    one, two, other = (Network(SIZES, rng=np.random.default_rng(seed)) for seed in (5, 5, 6))

    assert (one.parameters == two.parameters).all()
    assert (one.parameters != other.parameters).any()
    with pytest.raises(TypeError):
        Network(SIZES)


@pytest.mark.parametrize(
    ("activation", "variance"), [("sigmoid", 16.0), ("tanh", 1.0), ("relu", 2.0), ("leaky-relu", 2.0)]
)
def test_initial_weights_suit_the_fan_in(activation: str, variance: float) -> None:
    """The variance of a neuron's incoming weights adds up to 1, and between hidden layers to the gain squared."""
    net = Network([400, 300, 200, 10], activation=activation, rng=np.random.default_rng(0))

    assert 400 * net.weights[0].var() == pytest.approx(1, rel=0.02)
    assert 300 * net.weights[1].var() == pytest.approx(variance, rel=0.02)
    assert 200 * net.weights[2].var() == pytest.approx(1, rel=0.1)


def test_every_z_starts_around_its_mean() -> None:
    """The biases subtract what the previous layer's activations at their own mean contribute."""
    net = Network([20, 30, 40, 10], rng=np.random.default_rng(0), dtype=np.float64)

    a_1 = np.full(30, 0.5)
    assert net.weights[1] @ a_1 + net.biases[1] == pytest.approx(np.zeros(40))


def test_sigmoid_outputs_start_at_one_in_ten() -> None:
    """a = 1/10 for ten outputs where the hidden neurons are at ½; softmax needs no such start."""
    squared = Network([20, 5, 10], cost="squared-error", rng=np.random.default_rng(0), dtype=np.float64)
    entropy = Network([20, 5, 10], cost="cross-entropy", rng=np.random.default_rng(0), dtype=np.float64)

    def outputs(net: Network) -> np.ndarray:
        z = net.weights[-1] @ np.full(5, 0.5) + net.biases[-1]
        return net.σ[2].f(z[np.newaxis])[0]

    assert outputs(squared) == pytest.approx(np.full(10, 0.1))
    assert outputs(entropy) == pytest.approx(np.full(10, 0.1))


def test_a_wide_last_hidden_layer_of_sigmoids_starts_mostly_off() -> None:
    """Σ a² is 10 at most, where z is its bias: 1000 neurons start at 0.1 each, 16 at one half."""
    wide = Network([20, 1000, 10], rng=np.random.default_rng(0), dtype=np.float64)
    narrow = Network([20, 16, 10], rng=np.random.default_rng(0), dtype=np.float64)

    assert 1 / (1 + np.exp(-wide.biases[0])) == pytest.approx(np.full(1000, 0.1))
    assert narrow.biases[0].tolist() == [0.0] * 16


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"sizes": [784]}, "at least two"),
        ({"sizes": [784, 0, 10]}, "1 or more"),
        ({"sizes": [784, 2.5, 10]}, "a whole number"),
        ({"activation": "swish"}, "unknown activation 'swish'; known: sigmoid, tanh, relu, leaky-relu"),
        ({"activation": "softmax"}, "unknown activation 'softmax'"),
        ({"cost": "hinge"}, "unknown cost 'hinge'"),
        ({"output_activation": "softmax"}, "squared-error does not support softmax outputs; expected sigmoid"),
        (
            {"cost": "cross-entropy", "output_activation": "relu"},
            "cross-entropy does not support relu outputs; expected softmax",
        ),
        (
            {"cost": "binary-cross-entropy", "output_activation": "identity"},
            "binary-cross-entropy does not support identity outputs; expected sigmoid",
        ),
        ({"activation": "identity"}, "unknown activation 'identity'"),
        ({"output_activation": "step"}, "unknown output activation 'step'; known: .*, softmax, identity"),
    ],
)
def test_a_network_that_cannot_be_is_refused(arguments: dict, said: str) -> None:
    """Names and sizes are checked when the network is made."""
    settings = {"sizes": [7, 5, 3], "rng": np.random.default_rng(0)} | arguments

    with pytest.raises(InputError, match=said):
        Network(settings.pop("sizes"), **settings)


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (np.zeros((2, 6)), [0, 1], r"shape \(2, 6\); this network expects \(examples, 7\)"),
        (np.zeros(7), [0], r"shape \(7,\)"),
        (np.zeros((0, 7)), [], r"shape \(0, 7\)"),
        (np.zeros((2, 7)), [0, 3], "expected labels from 0 to 2; found 0 to 3"),
        (np.zeros((2, 7)), [0, -1], "found -1 to 0"),
        (np.zeros((2, 7)), [0.0, 1.0], r"the labels have shape \(2,\)"),
        (np.zeros((2, 7)), np.zeros((2, 4)), r"the labels have shape \(2, 4\)"),
        (np.zeros((2, 7)), [0], "2 inputs, but 1 labels"),
        (np.full((2, 7), np.nan), [0, 1], "the inputs contain NaN or infinity; expected finite float64 numbers"),
        (np.full((2, 7), -np.inf), [0, 1], "the inputs contain NaN or infinity"),
        (np.zeros((2, 7)), [[0, 1, 0], [np.nan, 0, 0]], "the targets contain NaN or infinity"),
        (np.zeros((2, 7)), [[0, 1, 0], [np.inf, 0, 0]], "the targets contain NaN or infinity"),
    ],
)
def test_examples_that_do_not_fit_are_refused(x: NDArray, y: object, said: str) -> None:
    """No shape is guessed or broadcast."""
    with pytest.raises(InputError, match=said):
        network().backpropagate(x, y)


def test_a_number_that_is_too_large_for_the_network_is_refused() -> None:
    """1e300 is infinite in float32."""
    net = network(dtype=np.float32)

    for x, y, said in (([[1e300] * 7], [0], "inputs"), ([[0] * 7], [[1e300, 0, 0]], "targets")):
        with pytest.raises(InputError, match=f"the {said} contain NaN or infinity; expected finite float32 numbers"):
            net.backpropagate(x, y)


@pytest.mark.parametrize(
    ("cost", "targets", "said"),
    [
        (
            "cross-entropy",
            [[0, 1, 0], [1, 1, 0]],
            "cross-entropy expects targets that sum to 1 in each row; row 1 sums to 2. ",
        ),
        ("cross-entropy", [[0.333, 0.333, 0.333]], "row 0 sums to 0.999. "),
        ("cross-entropy", [[2, -1, 0]], "cross-entropy expects targets from 0 to 1; found -1 to 2"),
        ("binary-cross-entropy", [[1, 1, 1.5]], "binary-cross-entropy expects targets from 0 to 1; found 1 to 1.5"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_targets_for_which_a_minus_y_is_wrong_are_refused(cost: str, targets: list, said: str, dtype: type) -> None:
    """The message gives the row and what is expected."""
    with pytest.raises(InputError, match=said):
        network(cost=cost, dtype=dtype).backpropagate(np.zeros((len(targets), 7)), targets)


@pytest.mark.parametrize(
    ("cost", "targets"),
    [
        ("cross-entropy", [[0.7, 0.3, 0], [1 / 3, 1 / 3, 1 / 3]]),
        ("binary-cross-entropy", [[1, 1, 1], [0, 0.3, 0]]),
        ("squared-error", [[-5, 0, 12], [0.5, 0.5, 0.5]]),
    ],
)
def test_the_gradient_is_right_for_all_other_targets(cost: str, targets: list, batch: tuple) -> None:
    """Soft labels, several labels, any numbers: Im C(p + ihd) / h is ∇C·d. float32 rows that sum to 1 also pass."""
    net, X = network(cost=cost), batch[0][:2]
    d = np.random.default_rng(0).standard_normal(len(net.parameters))
    nudged = net.astype(np.complex128)
    nudged.parameters += 1e-20j * d

    numerical = nudged.backpropagate(X, targets)[0].imag / 1e-20

    assert net.backpropagate(X, targets)[1].vector @ d == pytest.approx(numerical, rel=1e-12)
    network(cost=cost, dtype=np.float32).backpropagate(X, np.array(targets, np.float32))


@pytest.mark.parametrize("output_activation", ["tanh", "leaky-relu", "identity"])
def test_another_output_activation_changes_the_outputs_only(output_activation: str, batch: tuple) -> None:
    """Under squared error; the check by complex step holds there too."""
    net = Network(SIZES, output_activation=output_activation, rng=np.random.default_rng(1), dtype=np.float64)
    nudged = net.astype(np.complex128)
    nudged.weights[0][2, 3] += 1e-20j

    numerical = nudged.backpropagate(*batch)[0].imag / 1e-20

    assert net.forward(batch[0]).min() < 0
    assert net.backpropagate(*batch)[1].weights[0][2, 3] == pytest.approx(numerical, rel=1e-12)


# --- neurons that are left out -------------------------------------------------------------------------------------


def dropout(rate: float, input_rate: float, dtype: type = np.float64) -> Masks:
    """Masks for ``batch``."""
    return draw_masks(SIZES, 6, rate=rate, input_rate=input_rate, rng=np.random.default_rng(1), dtype=dtype)


@pytest.mark.parametrize(("rate", "input_rate"), [(0.4, 0.3), (0.4, 0), (0, 0.3)])
@pytest.mark.parametrize(("activation", "cost"), EVERY)
def test_every_derivative_with_dropout_is_what_a_complex_step_finds(
    activation: str, cost: str, rate: float, input_rate: float, batch: tuple
) -> None:
    """All parameters, one at a time, under the same masks; hidden neurons dropped, inputs dropped, or both."""
    net, masks = network(activation, cost), dropout(rate, input_rate)
    X, Y = batch[0], net.targets(batch[1])
    gradient = backward(net, forward(net, X, masks=masks), Y)
    nudged = net.astype(np.complex128)
    for i, p in enumerate(net.parameters):
        nudged.parameters[i] = p + 1e-20j
        trace = forward(nudged, X.astype(np.complex128), masks=masks)
        numerical = mean_cost(nudged, trace, Y.astype(np.complex128)).imag / 1e-20
        nudged.parameters[i] = p
        assert gradient.vector[i] == pytest.approx(numerical, rel=1e-10, abs=1e-15)


def test_masks_by_hand(batch: tuple) -> None:
    """A mask multiplies the activations of its layer and their σ′(z), which is that of the undropped neuron."""
    net, masks = network(), dropout(0.4, 0.3)
    trace = forward(net, batch[0], masks=masks)
    a, seen = batch[0], batch[0] * masks[0]
    assert list(masks) == [0, 1, 2]
    for l in (1, 2, 3):
        np.testing.assert_allclose(trace.A[l - 1], seen, rtol=1e-13)
        a = 1 / (1 + np.exp(-(seen @ net.W[l].T + net.b[l])))
        mask = masks.get(l, 1)  # the outputs have none
        np.testing.assert_allclose(trace.dA_dZ[l], a * (1 - a) * mask, rtol=1e-13)
        seen = a * mask
    np.testing.assert_allclose(trace.A[3], a, rtol=1e-13)


def test_who_is_left_out_learns_nothing(batch: tuple) -> None:
    """A neuron that all examples drop has no gradient: not its bias, nor the weights to it and from it."""
    net, masks = network(), {1: np.full((6, 5), 1.25)}
    masks[1][:, 2] = 0
    gradient = backward(net, forward(net, batch[0], masks=masks), net.targets(batch[1]))
    assert not gradient.weights[0][2].any()
    assert gradient.biases[0][2] == 0
    assert not gradient.weights[1][:, 2].any()
    assert np.count_nonzero(gradient.weights[0]) == 4 * 7
    assert np.count_nonzero(gradient.weights[1]) == 4 * 4


@pytest.mark.parametrize("masks", [None, {}, {0: np.ones((6, 7)), 2: np.ones((6, 4))}])
def test_masks_of_nothing_change_nothing(masks: Masks | None, batch: tuple) -> None:
    """No masks, factors of 1: the same bytes; the inputs are not written to, and not copied if none is dropped."""
    net = network()
    X, before = batch[0], batch[0].copy()
    plain, trace = forward(net, X), forward(net, X, masks=masks)
    Y = net.targets(batch[1])
    assert trace.Z.tobytes() == plain.Z.tobytes()
    assert backward(net, trace, Y).vector.tobytes() == backward(net, plain, Y).vector.tobytes()
    assert (trace.A[0] is X) == (not masks)
    assert (X == before).all()


def test_with_masks_too_the_layers_above_one_can_run_by_themselves(batch: tuple) -> None:
    """They take their own masks from the list, not the first ones."""
    net, masks = network(), dropout(0.4, 0.3)
    whole = forward(net, batch[0], masks=masks)
    above = {2: masks[2]}  # a^(1) has been multiplied by its own already
    np.testing.assert_array_equal(forward(net, whole.A[1], start=1, masks=above).Z, whole.Z)

    undropped = 1 / (1 + np.exp(-(whole.A[0] @ net.W[1].T + net.b[1])))
    np.testing.assert_allclose(forward(net, undropped, start=1, masks=masks).Z, whole.Z, rtol=1e-12)


def test_masks_keep_the_dtype(batch: tuple) -> None:
    """float32 in, float32 out."""
    net = network(dtype=np.float32)
    trace = forward(net, batch[0].astype(np.float32), masks=dropout(0.4, 0.3, np.float32))
    assert {array.dtype for array in (*trace.A.values(), *trace.dA_dZ.values())} == {np.dtype(np.float32)}
    assert backward(net, trace, net.targets(batch[1])).vector.dtype == np.float32


def test_the_average_over_many_masks_is_the_network_without(batch: tuple) -> None:
    """Inverted dropout: the expected weighted sum of a layer is what it is without; one layer, 4,000 masks."""
    net = Network((7, 3), rng=np.random.default_rng(0), dtype=np.float64)
    X = np.tile(np.abs(batch[0][:1]), (4000, 1))
    masks = draw_masks((7, 3), 4000, rate=0, input_rate=0.3, rng=np.random.default_rng(1), dtype=np.float64)
    mean, plain = forward(net, X, masks=masks).Z.mean(axis=0), forward(net, X[:1]).Z[0]
    spread = forward(net, X, masks=masks).Z.std(axis=0) / 4000**0.5
    assert (np.abs(mean - plain) < 4 * spread).all()
