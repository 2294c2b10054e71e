"""Is the gradient right? Every parameter is nudged, and what the cost does is compared with what backpropagation said.

Two kinds of nudge. *Central*: (C(w + ε) − C(w − ε)) / 2ε, the lesson's own, limited by rounding to some ten digits.
*Complex*: Im C(w + ih) / h with a tiny h (Squire and Trapp 1998), which subtracts nothing and is exact to rounding.

Both come from the forward pass of the network that is checked, and from nothing of its backward pass. One thought makes
them fast: nudging w_jk^(l) moves z_j^(l) by a_k^(l−1) times as much, and no other z of layer l; from there on, the
network's own forward pass goes on, for all examples and all k at once.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.layers import LayeredVector
from mnist_bp.core.network import Network, Trace

__all__ = [
    "TOLERANCE",
    "ArrayCheck",
    "Backpropagation",
    "Check",
    "Method",
    "NumericalGradient",
    "Verdict",
    "check",
    "direction_errors",
    "numerical_gradient",
    "own_backpropagation",
    "taylor_slopes",
]

Method = Literal["central", "complex"]

TOLERANCE: dict[Method, float] = {"complex": 1e-10, "central": 1e-6}
"""Largest relative error that is an agreement: far above what the method loses, far below what a mistake makes."""

EPSILON = 1e-5
"""Step of central differences: where what rounding loses, 1e-16 / ε, meets what the step's length does, ε²."""

COMPLEX_STEP = 1e-20
"""h: its square is beyond the last digit of any cost, so nothing is lost with it."""

ROUNDING = 16 * np.finfo(np.float64).eps
"""What the sums of a forward and a backward pass may lose, relative to the sums of their terms' magnitudes."""

TAYLOR_STEP = 1e-2
"""The largest h of ``taylor_slopes``: small enough for the third order, large enough for rounding."""

DENSE_EXAMPLES = 8
"""Size of the mini-batch of noise in which no pixel is dark."""

DENSE_SPREAD = 0.3
"""Standard deviation of that noise, whose mean is 0: about as much of it as there is of a digit (more would saturate
sigmoids), and of either sign, so that hardly a relu is off for every example."""

CHUNK = 1 << 14
"""Nudged (example, k) pairs that go through the network at a time, which bounds the memory."""


class NumericalGradient(NamedTuple):
    """A gradient found by nudging.

    Attributes
    ----------
    values
        The derivatives; 0 where a parameter was not nudged.
    noise
        Of each, the disagreement that rounding, and the length of a central difference's step, can explain.
    kinks
        Of each, whether the nudge carried some z across a kink of its σ, where there is no derivative to be found.
    """

    values: LayeredVector
    noise: LayeredVector
    kinks: LayeredVector


def numerical_gradient(
    network: Network, X: Array, Y: Array, *, method: Method, epsilon: float, chosen: LayeredVector
) -> NumericalGradient:
    """Nudge the ``chosen`` (booleans) parameters of a float64 network, each by itself.

    ``X`` (n, n_0) and ``Y`` (n, n_L) are the mini-batch; ``epsilon`` is the step of central differences.
    """
    trace = network.propagate(X)
    differentiate = _complex_step if method == "complex" else _central_difference
    result = NumericalGradient(
        *(LayeredVector.zeros(network.sizes, kind) for kind in (np.float64, np.float64, np.bool_))
    )
    for layer in range(len(network.weights)):
        nudge = _Nudge(network, layer, trace.A[layer], Y)
        for j in range(network.sizes[layer + 1]):
            ks = np.flatnonzero(chosen.blocks[layer][:, j])
            for target, found in zip(result, differentiate(nudge, j, ks, epsilon), strict=True):
                target.blocks[layer][ks, j] = found
    result.noise.vector[...] += ROUNDING * _magnitudes(network, trace.A, Y).vector
    return result


class _Nudge:
    """The costs of the examples after z_j of one layer has moved, and nothing else of that layer with it."""

    def __init__(self, network: Network, layer: int, A: Array, Y: Array) -> None:
        self.network, self.layer, self.Y = network, layer, Y
        self.inputs = np.column_stack([A, np.ones(len(A))])  # the last column: what a bias is multiplied by
        self.Z = self.inputs @ network.layers.blocks[layer]
        self.is_last = layer == len(network.weights) - 1
        if not self.is_last:
            self.A = network.σ[layer].f(self.Z)
            self.Z_above = self.A @ network.weights[layer + 1].T + network.biases[layer + 1]

    def costs(self, j: int, examples: NDArray[np.intp], z_j: Array) -> tuple[Array, list[Array]]:
        """C_i, and the activations of the hidden layers that it took: those of neuron j, and of all layers above."""
        network, layer, Y = self.network, self.layer, self.Y[examples]
        if self.is_last:
            Z = self.Z[examples].astype(z_j.dtype)
            Z[:, j] = z_j
            return network.costs(Trace([network.σ[layer].f(Z)], Z), Y), []
        a_j = network.σ[layer].f(z_j)
        moved = (a_j - self.A[examples, j])[:, None] * network.weights[layer + 1][:, j]
        Z = self.Z_above[examples] + moved
        A = network.σ[layer + 1].f(Z)
        if layer + 2 == len(network.weights):
            return network.costs(Trace([A], Z), Y), [a_j]
        trace = network.propagate(A, above=layer + 2)
        return network.costs(trace, Y), [a_j, *trace.A[:-1]]


_Found = tuple[Array, Array, NDArray[np.bool_]]
"""Values, noise and kinks of some parameters."""


def _complex_step(nudge: _Nudge, j: int, ks: NDArray[np.intp], epsilon: float) -> _Found:
    """Im C(w + ih) / h, of w_jk for each k."""

    def derivative(examples: NDArray[np.intp], a_k: Array) -> tuple[Array, Array, Array]:
        costs, hidden = nudge.costs(j, examples, nudge.Z[examples, j] + (1j * COMPLEX_STEP) * a_k)
        at_kink = _any_neuron([(A.real == 0) & (A.imag != 0) for A in hidden], len(examples))
        return costs.imag / COMPLEX_STEP, np.zeros(len(examples)), at_kink

    return _mean_over_examples(nudge, ks, derivative)


def _central_difference(nudge: _Nudge, j: int, ks: NDArray[np.intp], epsilon: float) -> _Found:
    """(C(w + ε) − C(w − ε)) / 2ε, of w_jk for each k; what the step 2ε gives otherwise shows how good that is."""
    steps = (epsilon, -epsilon, 2 * epsilon, -2 * epsilon)

    def derivative(examples: NDArray[np.intp], a_k: Array) -> tuple[Array, Array, Array]:
        z_j = nudge.Z[examples, j]
        costs, hidden = zip(*(nudge.costs(j, examples, z_j + step * a_k) for step in steps), strict=True)
        slope, longer = (costs[0] - costs[1]) / (2 * epsilon), (costs[2] - costs[3]) / (4 * epsilon)
        rounding = ROUNDING * (1 + costs[0]) / epsilon
        crossed = [(up > 0) != (down > 0) for up, down in zip(hidden[2], hidden[3], strict=True)]
        return slope, np.abs(slope - longer) + rounding, _any_neuron(crossed, len(examples))

    return _mean_over_examples(nudge, ks, derivative)


def _mean_over_examples(
    nudge: _Nudge, ks: NDArray[np.intp], derivative: Callable[[NDArray[np.intp], Array], tuple[Array, Array, Array]]
) -> _Found:
    """Average ``derivative`` (of some examples' costs, their a_k given) over the examples, for each k.

    Where a_k is 0, the nudge moves nothing, and nothing is computed: most pixels are dark.
    """
    values, noise, kinks = np.zeros((3, len(ks)))
    examples, columns = np.nonzero(nudge.inputs[:, ks])
    for start in range(0, len(examples), CHUNK):
        rows, column = examples[start : start + CHUNK], columns[start : start + CHUNK]
        for total, part in zip((values, noise, kinks), derivative(rows, nudge.inputs[rows, ks[column]]), strict=True):
            total += np.bincount(column, part, minlength=len(ks))
    return values / len(nudge.Y), noise / len(nudge.Y), kinks > 0


def _any_neuron(flags: list[NDArray[np.bool_]], pairs: int) -> NDArray[np.bool_]:
    """Whether any neuron of any layer is flagged, for each of the pairs."""
    return np.logical_or.reduce([flag.reshape(pairs, -1).any(axis=1) for flag in flags], initial=False) & np.ones(
        pairs, bool
    )


def _magnitudes(network: Network, A: list[Array], Y: Array) -> LayeredVector:
    """How large the terms are that add up to each derivative, were every σ′ 1: rounding errors are relative to that."""
    scale = LayeredVector.zeros(network.sizes, np.float64)
    S = 2 * (np.abs(A[-1]) + Y) / len(Y)
    for layer in reversed(range(len(network.weights))):
        inputs = np.column_stack([np.abs(A[layer]), np.ones(len(Y))])
        np.matmul(inputs.T, S, out=scale.blocks[layer])
        S = S @ np.abs(network.weights[layer])
    return scale


class Verdict(IntEnum):
    """On one derivative. Only VERIFIED is a pass; only FAILED fails the check."""

    SKIPPED = 0  # not nudged
    VERIFIED = 1  # backpropagation and nudge agree, relative to their size
    ZERO = 2  # both are exactly 0, which verifies nothing
    UNDECIDED = 3  # they differ by no more than rounding can explain
    KINK = 4  # they differ, and the nudge crossed a kink
    FAILED = 5


@dataclass(frozen=True)
class ArrayCheck:
    """What the check of one array, W1 or b1, say, came to.

    Attributes
    ----------
    name, shape
        Of the array, as a model file has it.
    counts
        How many of its entries got each verdict.
    nonzero
        How many were not zero on the mini-batch itself; the others were tried on a dense one.
    max_relative_error, median_relative_error
        Over the entries that were verified or failed; None where there are none.
    worst, backprop, numerical
        The index of the entry with the largest relative error among these, and its two values.
    """

    name: str
    shape: tuple[int, ...]
    counts: dict[Verdict, int]
    nonzero: int
    max_relative_error: float | None = None
    median_relative_error: float | None = None
    worst: tuple[int, ...] | None = None
    backprop: float | None = None
    numerical: float | None = None

    @property
    def entries(self) -> int:
        """How many it has."""
        return sum(self.counts.values())

    @property
    def checked(self) -> int:
        """How many of them were nudged."""
        return self.entries - self.counts[Verdict.SKIPPED]


@dataclass(frozen=True)
class Check:
    """A gradient beside its numerical twin, entry by entry.

    ``gradient`` and ``numerical`` are the two, ``verdict`` and ``error`` (relative) what was found of each entry;
    ``nonzero`` says which were not zero on the mini-batch itself: the values of the others come from a dense one.
    """

    method: Method
    tolerance: float
    gradient: LayeredVector
    numerical: LayeredVector
    verdict: LayeredVector
    error: LayeredVector
    nonzero: LayeredVector

    @property
    def passed(self) -> bool:
        """Whether something was verified and nothing failed."""
        return bool(
            (self.verdict.vector == Verdict.VERIFIED).any() and not (self.verdict.vector == Verdict.FAILED).any()
        )

    def arrays(self) -> list[ArrayCheck]:
        """The findings for each array, W1, b1, …, in order."""
        parts = (self.gradient, self.numerical, self.verdict, self.error, self.nonzero)
        return [
            _summary(*named)
            for named in zip(
                self.gradient.named_arrays(), *(part.named_arrays().values() for part in parts), strict=True
            )
        ]


def _summary(name: str, gradient: Array, numerical: Array, verdict: Array, error: Array, nonzero: Array) -> ArrayCheck:
    counts = {kind: int(np.count_nonzero(verdict == kind)) for kind in Verdict}
    decided = (verdict == Verdict.VERIFIED) | (verdict == Verdict.FAILED)
    summary = ArrayCheck(name, gradient.shape, counts, int(np.count_nonzero(nonzero)))
    if not decided.any():
        return summary
    worst = np.unravel_index(np.where(decided, error, -1).argmax(), error.shape)
    return replace(
        summary,
        max_relative_error=float(error[worst]),
        median_relative_error=float(np.median(error[decided])),
        worst=tuple(map(int, worst)),
        backprop=float(gradient[worst]),
        numerical=float(numerical[worst]),
    )


Backpropagation = Callable[[Network, Array, Array], LayeredVector]
"""(network, X, Y) ↦ ∇C, Y one-hot: what is checked."""


def own_backpropagation(network: Network, X: Array, Y: Array) -> LayeredVector:
    """The one that trains."""
    return network.gradient(network.propagate(X), Y)


def check(
    network: Network,
    X: Array,
    Y: Array,
    *,
    method: Method,
    rng: np.random.Generator,
    backpropagate: Backpropagation = own_backpropagation,
    epsilon: float = EPSILON,
    tolerance: float | None = None,
    sample: int | None = None,
) -> Check:
    """Compare a gradient with the nudge of every parameter.

    Parameters
    ----------
    network
        In float64: in float32, rounding hides mistakes of a tenth of a percent.
    X, Y
        A mini-batch, (n, n_0) and one-hot (n, n_L), float64.
    method, epsilon
        How to nudge; ``epsilon`` is the step of central differences.
    rng
        Draws the dense mini-batch, on which the entries are tried that are zero on this one, and the sample.
    backpropagate
        What is checked; somebody else's, perhaps.
    tolerance
        Largest relative error that is an agreement. Default: 1e-10 (complex), 1e-6 (central).
    sample
        Nudge only so many entries of each array, drawn at random.
    """
    tolerance = TOLERANCE[method] if tolerance is None else tolerance
    chosen = _choose(network.sizes, sample, rng)
    first = _judge(network, X, Y, backpropagate, chosen, method, epsilon, tolerance)
    is_zero = first.verdict.vector == Verdict.ZERO
    dense = DENSE_SPREAD * rng.standard_normal((min(len(X), DENSE_EXAMPLES), X.shape[1]))
    second = _judge(
        network,
        dense,
        Y[: len(dense)],
        backpropagate,
        LayeredVector(network.sizes, is_zero),
        method,
        epsilon,
        tolerance,
    )
    gradient, numerical, verdict, error = (
        LayeredVector(network.sizes, np.where(is_zero, on_dense.vector, on_batch.vector))
        for on_batch, on_dense in zip(first, second, strict=True)
    )
    nonzero = LayeredVector(network.sizes, chosen.vector & ~is_zero)
    return Check(method, tolerance, gradient, numerical, verdict, error, nonzero)


class _Judged(NamedTuple):
    gradient: LayeredVector
    numerical: LayeredVector
    verdict: LayeredVector
    error: LayeredVector


def _choose(sizes: tuple[int, ...], sample: int | None, rng: np.random.Generator) -> LayeredVector:
    """Every entry, or at most ``sample`` of each array."""
    chosen = LayeredVector.zeros(sizes, np.bool_)
    for array in chosen.named_arrays().values():
        picked = rng.permutation(array.size)[:sample] if sample is not None else slice(None)
        array[np.unravel_index(np.arange(array.size)[picked], array.shape)] = True
    return chosen


def _judge(
    network: Network,
    X: Array,
    Y: Array,
    backpropagate: Backpropagation,
    chosen: LayeredVector,
    method: Method,
    epsilon: float,
    tolerance: float,
) -> _Judged:
    """Judge each of the ``chosen`` derivatives on one mini-batch.

    Agreement is relative, and nothing else is a pass: what rounding can explain excuses a difference, it does not make
    an agreement of it.
    """
    gradient = backpropagate(network, X, Y)
    numerical = numerical_gradient(network, X, Y, method=method, epsilon=epsilon, chosen=chosen)
    g, n = gradient.vector, numerical.values.vector
    difference, size = np.abs(g - n), np.maximum(np.abs(g), np.abs(n))
    error = np.divide(difference, size, out=np.zeros_like(size), where=size > 0)
    rules = {
        Verdict.SKIPPED: ~chosen.vector,
        Verdict.ZERO: size == 0,
        Verdict.VERIFIED: error <= tolerance,
        Verdict.KINK: numerical.kinks.vector,
        Verdict.UNDECIDED: difference <= numerical.noise.vector,
    }
    verdict = np.select(list(rules.values()), list(map(int, rules)), int(Verdict.FAILED))
    return _Judged(gradient, numerical.values, *(LayeredVector(network.sizes, found) for found in (verdict, error)))


def taylor_slopes(
    network: Network, X: Array, Y: Array, gradient: LayeredVector, *, rng: np.random.Generator
) -> tuple[float, ...]:
    """How C(p + hd) − C(p) − h ∇C·d falls as h is halved, in powers of h, for a random direction d.

    2 says that ∇C is the gradient, 1 that it is not. No step and no tolerance have to be chosen for that. (Kinks may
    disturb it: a relu network is not smooth.) NaN where nothing at all is left.
    """

    def cost(parameters: Array) -> float:
        moved = network.astype(np.float64)
        moved.parameters = parameters
        return float(network_cost(moved, X, Y).real)

    d = rng.standard_normal(len(network.parameters))
    d /= np.linalg.norm(d)
    start, promised = cost(network.parameters), gradient.vector @ d
    steps = [TAYLOR_STEP / 2**halvings for halvings in range(4)]
    left = np.array([abs(cost(network.parameters + h * d) - start - h * promised) for h in steps])
    with np.errstate(divide="ignore", invalid="ignore"):
        return tuple(map(float, np.log2(left[:-1] / left[1:])))


def direction_errors(
    network: Network, X: Array, Y: Array, gradient: LayeredVector, *, rng: np.random.Generator, directions: int = 10
) -> list[float]:
    """Relative errors of ∇C·d, each beside Im C(p + ihd) / h, for random directions d: all parameters at once."""
    nudged = network.astype(np.complex128)
    errors = []
    for _ in range(directions):
        d = rng.standard_normal(len(network.parameters))
        nudged.parameters = network.parameters + (1j * COMPLEX_STEP) * d
        numerical = network_cost(nudged, X, Y).imag / COMPLEX_STEP
        promised = float(gradient.vector @ d)
        errors.append(abs(promised - numerical) / max(abs(promised), abs(numerical)))
    return errors


def network_cost(network: Network, X: Array, Y: Array) -> complex:
    """C, the mean cost of the mini-batch, of a network in any dtype."""
    return complex(network.costs(network.propagate(X), Y).mean())
