"""Explanation of one weight's gradient: the chain rule with the numbers of a real network and a real example.

This module follows the steps of the lesson, one factor at a time, for each example separately. It does not use
``network.backward``. The values of ``network.backward`` and of a complex step are computed only for comparison.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.choices import COSTS
from mnist_bp.core.network import Trace, forward
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.errors import InputError
from mnist_bp.explanation.result import (
    Address,
    Explanation,
    Factors,
    MiniBatch,
    Nudge,
    Output,
    Path,
    Paths,
    Pull,
    Sensitive,
    Step,
)
from mnist_bp.gradcheck.numerical_gradient import COMPLEX_STEP
from mnist_bp.network import Network

__all__ = ["explain"]

NUDGE = 0.01
"""Size of the nudge, the lesson's "tiny nudge, like a change by 0.01"."""

MOST = 5
"""Largest number of entries in a ranking."""


class _Layer(NamedTuple):
    """Factors of the chain rule in one layer, with one row for each example.

    ``inputs`` has a last column of 1, for the biases.
    """

    inputs: Array
    slope: Array | None
    dC_da: Array | None
    dC_dz: Array

    def gradient(self, example: int) -> Array:
        """Return the gradient of one example: ∂C_0/∂w_jk at [k, j], and ∂C_0/∂b_j in the last row."""
        return np.outer(self.inputs[example], self.dC_dz[example])


def explain(
    network: Network,
    X: Array,
    labels: NDArray[np.integer],
    example: int,
    address: Address | None,
    learning_rate: float,
    *,
    image_shape: tuple[int, int] | None = None,
) -> Explanation:
    """Explain one derivative.

    Parameters
    ----------
    network
        Network in float64.
    X, labels
        Mini-batch, (n, n_0) and (n,).
    example
        Row of the mini-batch to explain.
    address
        Parameter to explain. Default: the weight to which the example's cost is most sensitive.
    learning_rate
        Learning rate of the step.
    image_shape
        Rows and columns of an image. Default: one row of n_0 pixels.

    Raises
    ------
    InputError
        If the network has no such parameter.
    """
    Y = network.targets(labels)
    Objective(X, Y).refuse_overflow(network)
    trace = forward(network, X)
    layers = _chain_rule(network, trace, Y)
    ranking = _ranking(layers, example)
    address = ranking[0] if address is None else _existing(address, network)
    x, y = X[example : example + 1], Y[example : example + 1]
    cost = Objective(x, y).cost(network).real
    own = ParameterVector(network.sizes, _flat([layer.gradient(example) for layer in layers]))
    return Explanation(
        cost=cost,
        outputs=_outputs(network, trace, Y, layers[-1], example),
        pixels=(layers[0].dC_dz[example] @ network.W[1]).reshape(image_shape or (1, -1)).tolist(),
        asked=(-layers[-1].dC_dz[example] @ network.W[network.L]).tolist(),
        factors=_factors(network, layers, example, address, x, y),
        paths=_paths(network, layers, example, address),
        nudge=_nudge(network, address, x, y, _derivatives(layers, address)[example]),
        sensitive=_most_sensitive(layers, example, ranking),
        norms={name: float(np.linalg.norm(array)) for name, array in own.named_arrays().items()},
        batch=_mini_batch(layers, address, labels, own.vector),
        step=_step(network, X, Y, learning_rate),
    )


def _existing(address: Address, network: Network) -> Address:
    """Return ``address``. Raise InputError if the network has no such parameter."""
    if not 1 <= address.layer <= network.L:
        raise InputError(f"there is no layer {address.layer}: expected 1 to {network.L}")
    n_out, n_in = network.W[address.layer].shape
    if not 0 <= address.j < n_out:
        raise InputError(f"there is no neuron {address.j} in layer {address.layer}: expected 0 to {n_out - 1}")
    if address.k is not None and not 0 <= address.k < n_in:
        raise InputError(
            f"no weight of layer {address.layer} comes from neuron {address.k}: expected k from 0 to {n_in - 1}"
        )
    return address


def _chain_rule(network: Network, trace: Trace, Y: Array) -> list[_Layer]:
    """Compute the slopes and derivatives of all layers, backwards from the cost."""
    (A, slopes, _), L, ones = trace, network.L, np.ones(len(Y))
    cost = COSTS[network.cost]
    if cost.dC_dA is None:
        slope, dC_da, dC_dz = None, None, cost.dC_dZ(A[L], Y, slopes[L])
    else:
        slope, dC_da = slopes[L], cost.dC_dA(A[L], Y)
        dC_dz = slope * dC_da
    layers = [_Layer(np.column_stack([A[L - 1], ones]), slope, dC_da, dC_dz)]
    for l in range(L - 1, 0, -1):
        dC_da = layers[0].dC_dz @ network.W[l + 1]
        layers.insert(0, _Layer(np.column_stack([A[l - 1], ones]), slopes[l], dC_da, slopes[l] * dC_da))
    return layers


def _derivatives(layers: list[_Layer], address: Address) -> Array:
    """Return ∂C_i/∂w = a_k ∂C_i/∂z_j for every example i. For a bias, a_k is 1."""
    layer = layers[address.layer - 1]
    return layer.inputs[:, _row(address)] * layer.dC_dz[:, address.j]


def _row(address: Address) -> int:
    """Return the row of a parameter in its layer's block, whose last row is the biases."""
    return -1 if address.k is None else address.k


def _at(values: Array | None, example: int, neuron: int) -> float | None:
    return None if values is None else float(values[example, neuron])


def _factors(network: Network, layers: list[_Layer], example: int, address: Address, x: Array, y: Array) -> Factors:
    layer, j = layers[address.layer - 1], address.j
    a_k, dC_dz = float(layer.inputs[example, _row(address)]), float(layer.dC_dz[example, j])
    slope, dC_da = _at(layer.slope, example, j), _at(layer.dC_da, example, j)
    nudged = network.astype(np.complex128)
    nudged.parameter_vector.blocks[address.layer - 1][_row(address), j] += 1j * COMPLEX_STEP
    objective = Objective(x, y)
    return Factors(
        name=address.name,
        a_k=a_k,
        slope=slope,
        dC_da=dC_da,
        dC_dz=dC_dz,
        product=a_k * dC_dz if slope is None or dC_da is None else a_k * slope * dC_da,
        backprop=float(objective.gradient(network).blocks[address.layer - 1][_row(address), j]),
        complex_step=objective.cost(nudged).imag / COMPLEX_STEP,
    )


def _paths(network: Network, layers: list[_Layer], example: int, address: Address) -> list[Paths]:
    """Return the sums for ∂C_0/∂a, layer by layer up to the outputs, along the path with the largest contribution."""
    followed, neuron = [], address.j
    for number in range(address.layer, len(layers)):
        above, W = layers[number], network.W[number + 1]
        paths = [
            Path(
                to=to,
                w=float(W[to, neuron]),
                slope=_at(above.slope, example, to),
                dC_da=_at(above.dC_da, example, to),
                dC_dz=float(above.dC_dz[example, to]),
                contribution=float(W[to, neuron] * above.dC_dz[example, to]),
            )
            for to in range(len(W))
        ]
        followed.append(Paths(number, neuron, paths, sum(path.contribution for path in paths)))
        neuron = max(paths, key=lambda path: abs(path.contribution)).to
    return followed


def _nudge(network: Network, address: Address, x: Array, y: Array, derivative: float) -> Nudge:
    objective, moved = Objective(x, y), network.astype(network.dtype)
    before = objective.cost(moved).real
    moved.parameter_vector.blocks[address.layer - 1][_row(address), address.j] += NUDGE
    after = objective.cost(moved).real
    return Nudge(NUDGE, before, after, (after - before) / NUDGE, float(derivative))


def _outputs(network: Network, trace: Trace, Y: Array, layer: _Layer, example: int) -> list[Output]:
    """Return each output's contribution to the cost, and its nudge. With cross-entropy, only the correct one costs."""
    A = trace.A[network.L]
    costs = COSTS[network.cost].per_output(trace.Z, A, Y)
    nudges = -(layer.dC_dz if layer.dC_da is None else layer.dC_da)
    rows = (values[example] for values in (A, Y, costs, nudges))
    return [Output(*map(float, values)) for values in zip(*rows, strict=True)]


def _ranking(layers: list[_Layer], example: int) -> list[Address]:
    """Return the weights to which the example's cost is most sensitive, the most sensitive first."""
    candidates = []
    for number, layer in enumerate(layers, 1):
        sizes = np.abs(layer.gradient(example)[:-1])
        for place in sizes.ravel().argsort()[::-1][:MOST]:
            k, j = np.unravel_index(place, sizes.shape)
            candidates.append((float(sizes[k, j]), Address(number, int(j), int(k))))
    return [address for _, address in sorted(candidates, reverse=True)[:MOST]]


def _most_sensitive(layers: list[_Layer], example: int, ranking: list[Address]) -> list[Sensitive]:
    derivatives = [float(_derivatives(layers, address)[example]) for address in ranking]
    least = abs(derivatives[-1]) or 1.0
    return [
        Sensitive(address.name, derivative, abs(derivative) / least)
        for address, derivative in zip(ranking, derivatives, strict=True)
    ]


def _flat(blocks: list[Array]) -> Array:
    """Return one vector with the blocks of all layers, in the layout of a ``ParameterVector``."""
    return np.concatenate([block.ravel() for block in blocks])


def _mini_batch(layers: list[_Layer], address: Address, labels: NDArray[np.integer], own: Array) -> MiniBatch:
    """Compare the examples' derivatives by the parameter. ``own`` is the whole gradient of the explained example."""
    derivatives = _derivatives(layers, address)
    total = float(np.abs(derivatives).sum()) or 1.0
    strongest = np.abs(derivatives).argsort()[::-1][:MOST]
    mean = _flat([layer.inputs.T @ layer.dC_dz / len(labels) for layer in layers])
    lengths = float(np.linalg.norm(own) * np.linalg.norm(mean))
    return MiniBatch(
        examples=len(labels),
        mean=float(derivatives.mean()),
        up=int(np.count_nonzero(derivatives < 0)),
        down=int(np.count_nonzero(derivatives > 0)),
        by_label={int(label): float(derivatives[labels == label].mean()) for label in np.unique(labels)},
        pulls=[
            Pull(int(i), int(labels[i]), float(derivatives[i]), float(abs(derivatives[i]) / total)) for i in strongest
        ],
        agreement=float(abs(derivatives.sum()) / total),
        cosine=float(own @ mean) / lengths if lengths else 0.0,
    )


def _step(network: Network, X: Array, Y: Array, learning_rate: float) -> Step:
    objective = Objective(X, Y)
    cost, gradient = objective.cost(network).real, objective.gradient(network).vector
    moved = network.astype(network.dtype)
    moved.parameters -= learning_rate * gradient
    predicted = -learning_rate * float(gradient @ gradient)
    return Step(learning_rate, predicted, objective.cost(moved).real - cost)
