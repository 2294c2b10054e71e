"""Public network class, which checks its arguments, draws initial weights, converts dtypes, and loads and saves files.

The calculus is in ``mnist_bp.core.network``.
"""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.choices import INITIALIZATIONS
from mnist_bp.core.choices import activation as activation_named
from mnist_bp.core.inputs import (
    Functions,
    checked_functions,
    checked_inputs,
    checked_sizes,
    checked_targets,
    one_hot,
)
from mnist_bp.core.network import backward, forward, mean_cost
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.errors import InputError
from mnist_bp.storage import model_file
from mnist_bp.storage.metadata import Metadata

__all__ = ["Network", "load_network"]


class Network:
    """A fully connected neural network.

    Parameters
    ----------
    sizes
        Number of neurons of each layer, input first: ``[784, 16, 16, 10]``.
    activation
        Activation function σ of the hidden layers: "sigmoid", "tanh", "relu" or "leaky-relu".
    cost
        Cost function: "squared-error" (sigmoid outputs), "cross-entropy" (softmax outputs) or "binary-cross-entropy"
        (sigmoid outputs).
    output_activation
        Activation function of the outputs. Default: the cost's, which the cross-entropies require. Squared error
        supports every activation, and "identity" for linear outputs, but not "softmax".
    rng
        Random generator that draws the initial weights.
    dtype
        Type of the parameters: float32 (training), float64 (checking) or complex128 (complex-step checking).
    weight_init
        Initial weights: "scaled", "glorot" (Glorot and Bengio 2010), "he" (He et al. 2015) or "normal" (N(0, 1)).

    Attributes
    ----------
    sizes, activation, cost, output_activation
        Arguments as given, with the cost's default in place of ``output_activation=None``.
    parameter_vector
        Parameters and all views of them. ``parameters`` is its vector; ``weights``, ``biases``, ``W`` and ``b`` are its
        views. ``weights[i]`` is W of layer i + 1; ``W[l]`` is W of layer l, for l from 1 to L.
    σ
        Activation functions by layer: ``σ[l]`` is the one of layer l.

    Raises
    ------
    InputError
        (a ValueError) If a size is invalid, a name is unknown, or the cost does not support the output activation.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        activation: str = "sigmoid",
        cost: str = "squared-error",
        output_activation: str | None = None,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
        weight_init: str = "scaled",
    ) -> None:
        parameters = ParameterVector.empty(checked_sizes(sizes), dtype)
        self._set(parameters, checked_functions(activation, cost, output_activation))
        σ, outputs = activation_named(self.activation), activation_named(self.output_activation)
        INITIALIZATIONS[weight_init](parameters, σ, outputs, rng)

    def _set(self, parameters: ParameterVector, functions: Functions) -> None:
        self.activation, self.cost, self.output_activation = self._functions = functions
        self.parameter_vector, self.sizes = parameters, parameters.sizes
        self.weights, self.biases = parameters.weights, parameters.biases
        self.W, self.b = parameters.W, parameters.b
        self.L = len(self.W)
        self.σ = {l: activation_named(self.activation if l < self.L else self.output_activation) for l in self.W}

    @classmethod
    def of(cls, parameters: ParameterVector, functions: Functions) -> Self:
        """Return a network with these parameters, which are not copied."""
        network = cls.__new__(cls)
        network._set(parameters, functions)
        return network

    def astype(self, dtype: DTypeLike) -> Self:
        """Return a copy of the network with parameters of type ``dtype``."""
        return self.of(self.parameter_vector.like(self.parameters.astype(dtype)), self._functions)

    @property
    def parameters(self) -> Array:
        """Flat vector of all weights and biases. ``weights`` and ``biases`` are views of it."""
        return self.parameter_vector.vector

    @parameters.setter
    def parameters(self, values: Array) -> None:
        self.parameter_vector.vector[...] = values  # in place, to keep the views valid

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the parameters and of everything computed from them."""
        return self.parameters.dtype

    def named_arrays(self) -> dict[str, Array]:
        """Return views of the parameters by name: W1, b1, …, WL, bL."""
        return self.parameter_vector.named_arrays()

    def forward(self, x: ArrayLike) -> Array:
        """Return the outputs a^(L), shape (examples, n_L), for finite inputs of shape (examples, n_0)."""
        return forward(self, self.inputs(x)).A[self.L]

    def backpropagate(self, x: ArrayLike, y: ArrayLike) -> tuple[Any, ParameterVector]:
        """Return the mean cost of a mini-batch and its gradient.

        Parameters
        ----------
        x
            Inputs, (examples, n_0).
        y
            Integer labels, (examples,), or rows of targets, (examples, n_L): one-hot, probabilities that sum to 1
            (cross-entropy), probabilities (binary-cross-entropy), or any numbers (squared-error).

        Returns
        -------
        cost
            Mean cost C of the examples, a scalar of the network's dtype.
        gradient
            Gradient ∇C. ``gradient.vector`` has the order of ``parameters``; ``gradient.weights[i]`` and
            ``gradient.biases[i]`` are views of it.

        Raises
        ------
        InputError
            If the shapes do not fit the network, a label has no output, the cost does not allow the targets, or a
            number is NaN or infinite.
        """
        X, Y = self._mini_batch(x, y)
        trace = forward(self, X)
        return mean_cost(self, trace, Y), backward(self, trace, Y)

    def input_gradient(self, x: ArrayLike, y: ArrayLike) -> tuple[Any, Array]:
        """Return the mean cost C of a mini-batch, and ∂C/∂x, (examples, n_0): its sensitivity to each input.

        Arguments and errors are those of ``backpropagate``.
        """
        X, Y = self._mini_batch(x, y)
        trace, dC_dX = forward(self, X), np.empty_like(X)
        backward(self, trace, Y, dC_dX=dC_dX)
        return mean_cost(self, trace, Y), dC_dX

    def _mini_batch(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        X, Y = self.inputs(x), self.targets(y)
        if len(X) != len(Y):
            raise InputError(f"{len(X)} inputs, but {len(Y)} labels")
        return X, Y

    def inputs(self, x: ArrayLike) -> Array:
        """Return x as a finite (examples ≥ 1, n_0) array of the network's dtype. Raise InputError if it is not one."""
        return checked_inputs(x, self.sizes[0], self.dtype)

    def targets(self, y: ArrayLike) -> Array:
        """Return labels or rows of targets as an (examples, n_L) array. Raise InputError if the cost refuses them."""
        return checked_targets(y, self.sizes[-1], self.dtype, self.cost)

    def one_hot(self, labels: NDArray[np.integer]) -> Array:
        """Return one-hot rows, (examples, n_L), for labels that were already checked."""
        return one_hot(labels, self.sizes[-1], self.dtype)

    def save(self, path: str | PathLike[str], meta: Mapping[str, Any] | None = None) -> None:
        """Save the network and additional metadata to an .npz file.

        Raises
        ------
        InputError
            If a key of ``meta`` that ``mnist_bp/README.md`` lists has an invalid value. Other keys are yours.
        """
        model_file.save(path, self.parameter_vector, self._functions, meta or {})

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a network that ``save`` wrote. Raise InputError if the file is missing or invalid."""
        parameters, functions, _ = model_file.load(path)
        return cls.of(parameters, functions)


def load_network(path: str | PathLike[str]) -> tuple[Network, Metadata]:
    """Read a network that ``Network.save`` wrote, and its metadata. Raise InputError as ``Network.load`` does."""
    parameters, functions, meta = model_file.load(path)
    return Network.of(parameters, functions), meta
