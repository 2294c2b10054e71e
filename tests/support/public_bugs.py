"""Wrong backpropagations that were described in public, each written anew as a function of (weights, biases, x, y).

The sources are threads about other people's code, by repository and number. Each function has one of their bugs, in a
student's manner, and computes the derivatives of Σ_j (a_j − y_j)², or of cross-entropy with softmax outputs, otherwise
as it should.
"""
# ruff: noqa: D103 - their names say what they do

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class PublicBug(NamedTuple):
    """A function with a bug, its source, words of the right diagnosis, and the network that it is for."""

    function: Callable[..., Any]
    source: str
    signs: tuple[str, ...]
    hidden: tuple[int, ...] = (16, 16)
    activation: str = "sigmoid"
    cost: str = "squared-error"


BUGS: list[PublicBug] = []


def described(source: str, *signs: str, **network: Any) -> Callable[..., Any]:
    """Register a function under its source, with the words that its diagnosis has to contain."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        BUGS.append(PublicBug(function, source, signs, **network))
        return function

    return register


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def relu(z):
    return np.where(z > 0, z, 0.0)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def forward(weights, biases, x, hidden=sigmoid, outputs=sigmoid):
    """Return the z and the a of all layers, the inputs first."""
    zs, acts = [x], [x]
    for l, (W, b) in enumerate(zip(weights, biases, strict=True), 1):
        zs.append(acts[-1] @ W.T + b)
        acts.append((outputs if l == len(weights) else hidden)(zs[-1]))
    return zs, acts


def collect(deltas, acts):
    """Return the gradient for the δ of each layer."""
    return [d.T @ a for d, a in zip(deltas, acts[:-1], strict=True)], [d.sum(axis=0) for d in deltas]


def deltas_by(weights, delta, slopes):
    """Carry δ of the outputs back through all layers, multiplied by the slopes of the hidden layers."""
    deltas = [delta]
    for W, slope in zip(weights[:0:-1], slopes[::-1], strict=True):
        deltas.insert(0, deltas[0] @ W * slope)
    return deltas


def sigmoid_slopes(acts):
    return [a * (1 - a) for a in acts[1:]]


def output_delta(a, y):
    """Return ∂C/∂z of sigmoid outputs."""
    return 2 * (a - y) * a * (1 - a) / len(y)


@described("deeplearning4j/deeplearning4j 364", "σ′(a) is used for σ′(z) everywhere")
def derivative_of_the_activations(weights, biases, x, y):
    def sigmoid_prime(z):
        return sigmoid(z) * (1 - sigmoid(z))

    _, acts = forward(weights, biases, x)
    delta = 2 * (acts[-1] - y) / len(x) * sigmoid_prime(acts[-1])
    return collect(deltas_by(weights, delta, [sigmoid_prime(a) for a in acts[1:-1]]), acts)


@described("kvfrans/notes 5", "all of b1, b2 and b3 are 23 times too small: divided by the 23 examples twice")
def biases_averaged_twice(weights, biases, x, y):
    _, acts = forward(weights, biases, x)
    deltas = deltas_by(weights, output_delta(acts[-1], y), sigmoid_slopes(acts)[:-1])
    return collect(deltas, acts)[0], [d.mean(axis=0) for d in deltas]


@described("bighuang624 10", "all of W2 are 2 times too large", "all of b1 are 4 times too large", hidden=(16,))
def factors_in_the_wrong_places(weights, biases, x, y):
    _, (x, a1, a2) = forward(weights, biases, x)
    delta2 = output_delta(a2, y)
    delta1 = delta2 @ weights[1] * a1 * (1 - a1)
    return [delta1.T @ x, 2 * delta2.T @ a1], [4 * delta1.sum(axis=0), delta2.sum(axis=0)]


@described("iamtrask/Grokking-Deep-Learning 9, 56", "σ′ is left out in hidden layers", "a >= 0", activation="relu")
def relu_slope_of_activations_at_least_zero(weights, biases, x, y):
    _, acts = forward(weights, biases, x, hidden=relu)
    return collect(deltas_by(weights, output_delta(acts[-1], y), [a >= 0 for a in acts[1:-1]]), acts)


@described("haifengl/smile 151", "all derivatives are of the wrong sign")
def the_wrong_sign(weights, biases, x, y):
    _, acts = forward(weights, biases, x)
    return collect(deltas_by(weights, -output_delta(acts[-1], y), sigmoid_slopes(acts)[:-1]), acts)


@described("jiexunsee/Neural-Network-with-Python 1", "σ′ is left out at the outputs", hidden=(16, 16))
def no_slope_at_the_outputs(weights, biases, x, y):
    _, acts = forward(weights, biases, x)
    return collect(deltas_by(weights, 2 * (acts[-1] - y) / len(x), sigmoid_slopes(acts)[:-1]), acts)


@described(
    "Bot-Academy/NeuralNetworkFromScratch PR 3", "σ′ is left out at the outputs", "already updated", hidden=(16,)
)
def no_slope_and_updated_weights(weights, biases, x, y):
    _, (x, a1, a2) = forward(weights, biases, x)
    delta2 = 2 * (a2 - y) / len(x)
    W2 = weights[1] - 0.01 * (delta2.T @ a1)
    delta1 = delta2 @ W2 * a1 * (1 - a1)
    return collect([delta1, delta2], (x, a1, a2))


@described(
    "deeplearningzerotoall/PyTorch 40",
    "all derivatives are 11.5 times too large: the factor 2 of the square dropped and not divided by the 23 examples",
    hidden=(),
)
def a_half_and_a_sum(weights, biases, x, y):
    _, (x, a) = forward(weights, biases, x)
    delta = (a - y) * a * (1 - a)
    return [delta.T @ x], [delta.sum(axis=0)]


@described("makeyourownneuralnetwork/makeyourownneuralnetwork 64", "the error is carried back without σ′")
def errors_carried_back_without_slopes(weights, biases, x, y):
    _, acts = forward(weights, biases, x)
    errors = [2 * (acts[-1] - y) / len(x)]
    for W in weights[:0:-1]:
        errors.insert(0, errors[0] @ W)
    return collect([error * slope for error, slope in zip(errors, sigmoid_slopes(acts), strict=True)], acts)


@described("kyle8998 3", "z (1 − z) is used for σ′(z) everywhere")
def z_for_a(weights, biases, x, y):
    zs, acts = forward(weights, biases, x)
    delta = 2 * (acts[-1] - y) / len(x) * zs[-1] * (1 - zs[-1])
    return collect(deltas_by(weights, delta, [z * (1 - z) for z in zs[1:-1]]), acts)


@described("neuroph/neuroph 37", "1 − a is used for σ′(z) everywhere")
def one_minus_a(weights, biases, x, y):
    _, acts = forward(weights, biases, x)
    delta = 2 * (acts[-1] - y) / len(x) * (1 - acts[-1])
    return collect(deltas_by(weights, delta, [1 - a for a in acts[1:-1]]), acts)


@described("unda-ml/unda 1", "σ′ of the next layer is used in hidden layers")
def slope_of_the_next_layer(weights, biases, x, y):
    _, acts = forward(weights, biases, x)
    slopes = sigmoid_slopes(acts)
    return collect(deltas_by(weights, output_delta(acts[-1], y), [slopes[1], slopes[1]]), acts)


@described("deeplearning4j/libnd4j 440", "multiplied by a (1 − a) besides", activation="relu", cost="cross-entropy")
def slope_of_a_softmax(weights, biases, x, y):
    _, acts = forward(weights, biases, x, hidden=relu, outputs=softmax)
    delta = (acts[-1] - y) * acts[-1] * (1 - acts[-1]) / len(x)
    return collect(deltas_by(weights, delta, [a > 0 for a in acts[1:-1]]), acts)


@described("mnielsen/neural-networks-and-deep-learning PR 77", "the outputs' error is a − y")
def the_error_of_cross_entropy(weights, biases, x, y):
    _, acts = forward(weights, biases, x)
    return collect(deltas_by(weights, (acts[-1] - y) / len(x), sigmoid_slopes(acts)[:-1]), acts)


@described("hanbt 20", "through weights that are already updated", hidden=(16,))
def weights_updated_too_early(weights, biases, x, y):
    _, (x, a1, a2) = forward(weights, biases, x)
    delta2 = output_delta(a2, y)
    gradient2 = delta2.T @ a1
    weights[1] -= 0.5 * gradient2
    delta1 = delta2 @ weights[1] * a1 * (1 - a1)
    return [delta1.T @ x, gradient2], [delta1.sum(axis=0), delta2.sum(axis=0)]


@described("rust0258/Deeplearning.ai-Natural-Language-Processing-Specialization 62", "row sums of dC_dW")
def bias_from_row_sums(weights, biases, x, y):
    _, acts = forward(weights, biases, x)
    dW, _ = collect(deltas_by(weights, output_delta(acts[-1], y), sigmoid_slopes(acts)[:-1]), acts)
    return dW, [each.sum(axis=1) for each in dW]


@described("jorgenkg/python-neural-network 2", "activations of the layer itself")
def own_activations(weights, biases, x, y):
    _, acts = forward(weights, biases, x)
    deltas = deltas_by(weights, output_delta(acts[-1], y), sigmoid_slopes(acts)[:-1])
    dW, db = collect(deltas, acts)
    dW[1] = deltas[1].T @ acts[2]
    return dW, db


@described("rasbt/stat453-deep-learning-ss21 5", "all biases of a layer", hidden=(), cost="cross-entropy")
def bias_of_one_number(weights, biases, x, y):
    _, (x, a) = forward(weights, biases, x, outputs=softmax)
    delta = (a - y) / len(x)
    return [delta.T @ x], [np.sum(delta)]


@described("np.mean without axis", "all biases of a layer", "axis=0")
def bias_of_one_mean(weights, biases, x, y):
    _, acts = forward(weights, biases, x)
    deltas = deltas_by(weights, output_delta(acts[-1], y), sigmoid_slopes(acts)[:-1])
    return collect(deltas, acts)[0], [len(x) * np.mean(d) for d in deltas]


@described(
    "mnielsen/neural-networks-and-deep-learning, network.py: right by its own convention",
    "all derivatives are 11.5 times too large: the factor 2 of the square dropped and not divided by the 23 examples",
)
def nielsens_convention(weights, biases, x, y):
    """Columns, one example after the other, C = ½ Σ (a − y)², and a sum over the mini-batch."""
    nabla_w, nabla_b = [np.zeros(W.shape) for W in weights], [np.zeros(b.shape) for b in biases]
    for example, target in zip(x, y, strict=True):
        a = [example[:, None]]
        for W, b in zip(weights, biases, strict=True):
            a.append(sigmoid(W @ a[-1] + b[:, None]))
        delta = (a[-1] - target[:, None]) * a[-1] * (1 - a[-1])
        for l in range(len(weights) - 1, -1, -1):
            nabla_w[l] += delta @ a[l].T
            nabla_b[l] += delta[:, 0]
            delta = weights[l].T @ delta * a[l] * (1 - a[l])
    return nabla_w, nabla_b
