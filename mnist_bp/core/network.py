"""The network: forward, cost, and backpropagation. The page that everything else exists for.

Notation of the lesson. Layer l has n_l neurons; w_jk^(l) goes *to* neuron j of layer l *from* neuron k of layer l − 1::

    z_j^(l) = Σ_k w_jk^(l) a_k^(l−1) + b_j^(l)        a_j^(l) = σ(z_j^(l))        C = 1/n Σ_i C_i

    ∂C_0/∂w_jk^(l) = a_k^(l−1) σ′(z_j^(l)) ∂C_0/∂a_j^(l)
    ∂C_0/∂b_j^(l)  =           σ′(z_j^(l)) ∂C_0/∂a_j^(l)
    ∂C_0/∂a_k^(l)  = Σ_j w_jk^(l+1) σ′(z_j^(l+1)) ∂C_0/∂a_j^(l+1)

In the code a row is an example: A is (n, n_l), W is (n_l, n_{l−1}), b is (n_l,), and ``dC_dZ`` is ∂C/∂Z (the δ of other
books). The sums over k, over j and over the examples are then matrix products (``np.dot`` is ``@`` with less ado, which
shows where the matrices are small).
"""

import copy
import math
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mnist_bp.core.activations import ACTIVATIONS, Array
from mnist_bp.core.costs import COSTS
from mnist_bp.core.names import ActivationName, CostName, OutputActivationName, checked_name
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.errors import InputError

__all__ = ["Masks", "Network", "Trace"]


INITIAL_SUM_OF_SQUARES = 10
"""Σ a² at most, over a last hidden layer of sigmoids, when training starts. Measured: with learning rate 2 and 800
neurons, networks die from about 60 on."""


Masks = Sequence[Array | None]
"""Dropout's factors for the activations of each layer but the last, the input first: (n, n_l), or None for 1."""


class Trace(NamedTuple):
    """What a forward pass leaves behind for the backward pass.

    Attributes
    ----------
    A
        Activations of every layer, the input first: L + 1 arrays (n, n_l).
    Z
        Weighted sums of the output layer, (n, n_L); cross-entropy is computed from them.
    seen
        What of A each layer saw of the layer below it: L arrays (n, n_{l−1}), A itself but for dropout.
    masks
        What dropout multiplied A by, where there was any.
    """

    A: list[Array]
    Z: Array
    seen: list[Array]
    masks: Masks | None = None


class Network:
    """A fully connected network.

    Parameters
    ----------
    sizes
        Neurons of each layer, the input first: ``[784, 16, 16, 10]``.
    activation
        σ of the hidden layers: "sigmoid", "tanh", "relu" or "leaky-relu".
    cost
        "squared-error" (sigmoid outputs) or "cross-entropy" (softmax outputs).
    output_activation
        Another σ for the outputs of a squared error; softmax goes with cross-entropy and nothing else.
    rng
        Draws the initial weights.
    dtype
        float32 (training), float64 (checking) or complex128 (complex-step checking).

    Attributes
    ----------
    activation, cost, output_activation
        As given, the last one settled.
    layers
        The parameters; ``parameters``, ``weights`` and ``biases`` below are short for its vector and its views.
    σ
        ``σ[i]`` is the activation function of layer i + 1.

    Raises
    ------
    InputError
        (a ValueError) if a size or a name is not one that exists.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        activation: ActivationName = "sigmoid",
        cost: CostName = "squared-error",
        output_activation: OutputActivationName | None = None,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.layers = ParameterVector.empty(_checked_sizes(sizes), dtype)
        self.activation: ActivationName = checked_name("activation", activation, get_args(ActivationName))
        self.cost: CostName = checked_name("cost", cost, get_args(CostName))
        self.output_activation: OutputActivationName = checked_name(
            "output activation", output_activation or COSTS[cost].output_activation, get_args(OutputActivationName)
        )
        if (self.output_activation == "softmax") != (cost == "cross-entropy"):
            raise InputError(
                f"{self.output_activation} outputs do not go with {cost}: softmax and cross-entropy belong together"
            )
        hidden_layers = len(self.sizes) - 2
        self.σ = [ACTIVATIONS[activation]] * hidden_layers + [ACTIVATIONS[self.output_activation]]
        self._draw_parameters(rng)

    def _draw_parameters(self, rng: np.random.Generator) -> None:
        """Draw weights from N(0, 1) × gain / √fan-in, which keeps every layer's z near 1; biases start at 0.

        But where sigmoids end in sigmoids, all outputs rise and fall together with Σ a² over the last hidden layer, and
        a first step that moves them too far silences the network for good. So each output starts at 1 in n_L, the
        share of the examples in which it has to be on, and a wide last hidden layer starts mostly off.
        """
        for σ, W, b in zip(self.σ, self.weights, self.biases, strict=True):
            W[...] = rng.standard_normal(W.shape) * (σ.gain / W.shape[1] ** 0.5)
            b[...] = 0
        *hidden, n_L = self.sizes[1:]
        if self.output_activation == "sigmoid" and n_L > 1:
            self.biases[-1][...] = _logit(1 / n_L)
        if self.activation == "sigmoid" and hidden:
            self.biases[-2][...] = _logit(min(1 / 2, (INITIAL_SUM_OF_SQUARES / hidden[-1]) ** 0.5))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Neurons of each layer, the input first."""
        return self.layers.sizes

    @property
    def parameters(self) -> Array:
        """Every weight and bias, one flat vector; ``weights`` and ``biases`` are views of it."""
        return self.layers.vector

    @parameters.setter
    def parameters(self, values: Array) -> None:
        self.layers.vector[...] = values  # in place: the views must go on seeing them

    @property
    def weights(self) -> list[Array]:
        """``weights[i]`` is W of layer i + 1, shape (n_l, n_{l−1})."""
        return self.layers.weights

    @property
    def biases(self) -> list[Array]:
        """``biases[i]`` is b of layer i + 1, shape (n_l,)."""
        return self.layers.biases

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the parameters, and so of all that is computed with them."""
        return self.parameters.dtype

    def named_arrays(self) -> dict[str, Array]:
        """Views of the parameters by name: W1, b1, …, WL, bL."""
        return self.layers.named_arrays()

    def astype(self, dtype: DTypeLike) -> Self:
        """Copy the network; the copy computes in ``dtype``."""
        twin = copy.copy(self)
        twin.layers = ParameterVector(self.sizes, self.parameters.astype(dtype))
        return twin

    # --- the calculus ------------------------------------------------------------------------------------------------

    def propagate(self, X: Array, *, above: int = 0, masks: Masks | None = None) -> Trace:
        """Run the network forward: z^(l) = W a^(l−1) + b, a^(l) = σ(z^(l)), layer by layer.

        X is (n, n_0), or, to run only the layers above some layer, that layer's activations, (n, n_above). ``masks``
        are those of ``regularization.draw_masks``, where some activations are to be dropped.
        """
        A, seen = [X], []
        for i in range(above, len(self.weights)):
            mask = masks[i] if masks else None
            seen.append(A[-1] if mask is None else A[-1] * mask)
            Z = np.dot(seen[-1], self.weights[i].T)
            Z += self.biases[i]
            A.append(self.σ[i].f(Z))
        return Trace(A, Z, seen, masks)

    def costs(self, Z: Array, A: Array, Y: Array) -> Array:
        """C_i of each example, shape (n,), from the output layer's Z and A and the wanted outputs Y, each (n, n_L)."""
        return COSTS[self.cost].per_example(Z, A, Y)

    def gradient(self, trace: Trace, Y: Array, *, out: ParameterVector | None = None) -> ParameterVector:
        """Run backwards through the layers: ∂C/∂W and ∂C/∂b of each, C the mean cost of the examples of the trace.

        Dividing ∂C/∂Z of the last layer by n is the one place where the mean is taken; what follows is linear in it.
        ``out`` takes the result, so that training needs to make room for it only once.
        """
        gradient = ParameterVector.empty(self.sizes, self.dtype) if out is None else out
        A, seen, masks = trace.A, trace.seen, trace.masks
        dC_dZ = COSTS[self.cost].dC_dZ(A[-1], Y, self.σ[-1])
        dC_dZ /= len(Y)
        ones = np.ones(len(Y), self.dtype)
        for i in reversed(range(len(self.weights))):
            np.dot(seen[i].T, dC_dZ, out=gradient.weights[i].T)  # ∂z_j/∂w_jk = a_k, summed over the examples
            np.dot(ones, dC_dZ, out=gradient.biases[i])  # ∂z_j/∂b_j = 1, summed likewise
            if i > 0:
                dC_dA = np.dot(dC_dZ, self.weights[i])  # a hidden neuron: the sum over its paths
                if masks and (mask := masks[i]) is not None:
                    dC_dA *= mask  # no path leads through a neuron that was dropped
                dC_dZ = self.σ[i - 1].derivative(A[i])
                dC_dZ *= dC_dA
        return gradient

    # --- for callers -------------------------------------------------------------------------------------------------

    def forward(self, x: ArrayLike) -> Array:
        """Outputs a^(L), shape (examples, n_L), of inputs (examples, n_0)."""
        return self.propagate(self.inputs(x)).A[-1]

    def backpropagate(self, x: ArrayLike, y: ArrayLike) -> tuple[Any, ParameterVector]:
        """The mean cost of a mini-batch and its gradient.

        Parameters
        ----------
        x
            Inputs, (examples, n_0).
        y
            Integer labels, (examples,), or one-hot rows, (examples, n_L).

        Returns
        -------
        cost
            C, the mean over the examples, a scalar of the network's dtype.
        gradient
            ∇C: ``gradient.vector`` in the order of ``parameters``, ``gradient.weights[i]`` and ``gradient.biases[i]``.

        Raises
        ------
        InputError
            If the shapes do not fit the network or a label is not one of its outputs.
        """
        X, Y = self.inputs(x), self.targets(y)
        if len(X) != len(Y):
            raise InputError(f"{len(X)} inputs, but {len(Y)} labels")
        trace = self.propagate(X)
        return self.costs(trace.Z, trace.A[-1], Y).mean(), self.gradient(trace, Y)

    def inputs(self, x: ArrayLike) -> Array:
        """x as an array of the network's dtype and of shape (examples ≥ 1, n_0), or InputError."""
        X = np.asarray(x, dtype=self.dtype)
        if X.ndim != 2 or X.shape[1] != self.sizes[0] or not len(X):
            raise InputError(f"the inputs have shape {X.shape}; this network takes (examples, {self.sizes[0]})")
        return X

    def one_hot(self, labels: NDArray[np.integer]) -> Array:
        """Rows of 0 with a 1 at the label, (examples, n_L), for labels that are known to be right."""
        rows = np.zeros((len(labels), self.sizes[-1]), self.dtype)
        rows[np.arange(len(labels)), labels] = 1
        return rows

    def targets(self, y: ArrayLike) -> Array:
        """Labels or one-hot rows as rows of the network's dtype, shape (examples, n_L), or InputError."""
        given = np.asarray(y)
        n_L = self.sizes[-1]
        if given.ndim == 1 and given.dtype.kind in "iu":
            if given.size and not (0 <= given.min() and given.max() < n_L):
                raise InputError(f"labels go from 0 to {n_L - 1}; found {given.min()} to {given.max()}")
            return self.one_hot(given)
        if given.ndim == 2 and given.shape[1] == n_L:
            return given.astype(self.dtype, copy=False)
        raise InputError(
            f"the labels have shape {given.shape}; expected integers (examples,) or rows (examples, {n_L})"
        )

    def save(self, path: str | PathLike[str], meta: Mapping[str, Any] | None = None) -> None:
        """Write the network, and what else is worth knowing of it, to an .npz file: see ``model_file.save``."""
        from mnist_bp.core import model_file

        model_file.save(path, self, meta or {})

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Network":
        """Read a network that ``save`` wrote; InputError says what is wrong with the file."""
        from mnist_bp.core import model_file

        return model_file.load(path)[0]


def _logit(a: float) -> float:
    """The z at which a sigmoid is a."""
    return math.log(a / (1 - a))


def _checked_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    if len(sizes) < 2 or any(int(size) != size or size < 1 for size in sizes):
        raise InputError(f"sizes are at least two whole numbers of neurons, each 1 or more; got {list(sizes)}")
    return tuple(int(size) for size in sizes)
