"""The user's cost function (``--cost-function``), whose derivatives are measured by nudging each parameter.

Nothing is known about the cost but its values. Any activation, cost, scaling of the inputs or penalty can be in it.
"""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Layers, Trace
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector, side_by_side
from mnist_bp.errors import InputError
from mnist_bp.gradcheck.numerical_gradient import COMPLEX_STEP, EPSILON, Method, NumericalGradient, numerical_gradient
from mnist_bp.gradcheck.signatures import Target, target_of
from mnist_bp.gradcheck.user_function import UserFunction
from mnist_bp.network import Network

__all__ = ["OwnCost", "UserCost", "nudge"]

METHODS = ("cost", "loss", "total_cost", "compute_cost", "compute_loss")
"""Names of the method of a class that computes the cost, if none is given."""

ANALYTIC = 1e-3
"""Largest difference of a complex step and a central difference in one direction, relative to the derivative."""

CANCELLATION = 1e-13
"""Rounding error of a complex step, relative to the largest derivative of the array."""

JITTERS = 8
"""Evaluations of the cost with parameters that differ in the last bit, from which its rounding error is estimated."""


class UserCost:
    """A user's cost as a function (network, X, Y) ↦ C, with the layout of the user's backpropagation.

    The cost of a function that takes one example a call is averaged over the examples. A function that returns
    (cost, gradients) is a cost function as well.
    """

    def __init__(self, function: Any, name: str, backpropagation: UserFunction, method: str = "") -> None:
        self.name = name
        self._function, self._method, self._backpropagation = function, method, backpropagation
        self._target: Target | None = None

    def __call__(self, network: Layers, X: Array, Y: Array) -> complex:
        """Return C for a network of any dtype. Raise InputError if the function fails, or returns no finite number."""
        layout = self._backpropagation.layout(network, X, Y)
        if self._target is None:
            self._target = target_of(self._function, self._method, self.name, network.sizes, methods=METHODS)
        costs = []
        for x, y in layout.calls(X, Y):
            values = {**layout.parameters(network), "x": x, "y": y}
            try:
                with redirect_stdout(sys.stderr):  # standard output may be reserved for JSON Lines
                    costs.append(_number(self._target.call(values)))
            except InputError:
                raise
            except (Exception, SystemExit) as error:
                raise InputError(
                    f"--cost-function {self.name} raised {type(error).__name__}: {error}; it was called with "
                    f"({', '.join(self._target.roles)}), {layout.words}; --debug shows where"
                ) from error
        cost = sum(costs) / len(costs)
        if not np.isfinite(cost):
            raise InputError(f"--cost-function {self.name} returned {cost:g}; expected a finite number")
        return cost


def _number(result: Any) -> complex:
    """Return the number that a cost function returned, alone or with a gradient."""
    parts = list(result) if isinstance(result, tuple | list) else [result]
    for part in (parts[0], parts[-1]) if parts else ():
        if not isinstance(part, dict | tuple | list) and np.size(part) == 1:
            return complex(np.asarray(part).reshape(()))
    raise InputError(f"--cost-function returned {type(result).__name__}; expected a number, the mean cost")


@dataclass(kw_only=True)
class OwnCost(Objective):
    """Objective of a mini-batch whose cost and gradient are both the user's."""

    backpropagate: Callable[[Layers, Array, Array], ParameterVector]
    cost_function: Callable[[Layers, Array, Array], complex]

    def cost(self, network: Layers) -> complex:
        """Return C."""
        return self.cost_function(network, self.X, self.Y)

    def gradient(
        self,
        network: Layers,
        trace: Trace | None = None,
        *,
        out: ParameterVector | None = None,
        dC_dX: Array | None = None,
    ) -> ParameterVector:
        """Return the gradient that the user's function computes."""
        del trace, out, dC_dX
        return self.backpropagate(network, self.X, self.Y)

    def input_gradient(self, network: Layers) -> None:
        """Return None: the user's function returns no ∂C/∂x."""

    def is_analytic(self, network: Network, rng: np.random.Generator) -> bool:
        """Return True if a complex step through the cost gives its derivative, in a random direction of each array."""
        for array in network.parameter_vector.like(np.arange(len(network.parameters))).named_arrays().values():
            d = np.zeros(len(network.parameters))
            d[array] = rng.standard_normal(array.shape) / np.sqrt(array.size)
            try:
                with _no_casts():
                    by_step = self.derivative(network, d, "complex")
            except InputError:
                return False
            by_difference = self.derivative(network, d, "central")
            size = max(abs(by_step), abs(by_difference))
            if abs(by_step - by_difference) > ANALYTIC * size + EPSILON**2 * abs(self.cost(network)):
                return False
        return True

    def derivative(self, network: Network, d: Array, method: Method, epsilon: float = EPSILON) -> float:
        """Return the numerical derivative of the cost in the direction d."""
        if method == "complex":
            return self._moved(network, (1j * COMPLEX_STEP) * d).imag / COMPLEX_STEP
        return (self._moved(network, epsilon * d) - self._moved(network, -epsilon * d)).real / (2 * epsilon)

    def _moved(self, network: Network, by: Array) -> complex:
        moved = network.astype(by.dtype)
        moved.parameters = network.parameters + by
        return self.cost(moved)

    def numerical_gradient(
        self, network: Network, *, method: Method, epsilon: float, chosen: ParameterVector
    ) -> NumericalGradient:
        """Nudge each parameter of a float64 network for which ``chosen`` is True, one at a time."""
        values, rounding_bounds, noise = (ParameterVector.zeros(network.sizes, np.float64) for _ in range(3))
        kinks = ParameterVector.zeros(network.sizes, np.bool_)
        moved = network.astype(np.complex128 if method == "complex" else np.float64)
        start = self.cost(network).real
        rounding = self._rounding(network, start)
        for i in np.flatnonzero(chosen.vector):
            w = network.parameters[i]
            if method == "complex":
                moved.parameters[i] = w + 1j * COMPLEX_STEP
                values.vector[i] = self.cost(moved).imag / COMPLEX_STEP
            else:
                moved.parameters[i] = w + epsilon
                above = self.cost(moved).real
                moved.parameters[i] = w - epsilon
                below = self.cost(moved).real
                values.vector[i] = (above - below) / (2 * epsilon)
                # The last term is the change of the slope, which is large if the step crosses a kink.
                noise.vector[i] = 4 * rounding / epsilon + abs(above - 2 * start + below) / epsilon
            moved.parameters[i] = w
        if method == "complex":
            for _, value, target in side_by_side(values, noise):
                target[...] = CANCELLATION * np.abs(value).max()
        return NumericalGradient(values, rounding_bounds, noise, kinks, kinks.like(values.vector == 0))

    def _rounding(self, network: Network, start: float) -> float:
        """Return an estimate of the rounding error of the cost."""
        rng, eps = np.random.default_rng(0), np.finfo(np.float64).eps
        signs = rng.choice([-1.0, 1.0], (JITTERS, len(network.parameters)))
        costs = [self._moved(network, eps * each * network.parameters).real for each in signs]
        return max(eps * abs(start), *(abs(cost - start) for cost in costs))

    def direction_errors(
        self, network: Network, gradient: ParameterVector, method: Method, *, directions: int = 10
    ) -> list[float]:
        """Return the relative errors of ∇C·d against the numerical derivative, for random directions d."""
        rng, errors = np.random.default_rng(0), []
        for _ in range(directions):
            d = rng.standard_normal(len(network.parameters))
            d /= np.linalg.norm(d)
            numerical, backprop = self.derivative(network, d, method), float(gradient.vector @ d)
            size = max(abs(backprop), abs(numerical))
            errors.append(abs(backprop - numerical) / size if size else 0.0)
        return errors


def nudge(
    network: Network, objective: Objective, *, method: Method, epsilon: float, chosen: ParameterVector
) -> NumericalGradient:
    """Return the numerical gradient of the network's cost, or of the user's."""
    if isinstance(objective, OwnCost):
        return objective.numerical_gradient(network, method=method, epsilon=epsilon, chosen=chosen)
    return numerical_gradient(network, objective, method=method, epsilon=epsilon, chosen=chosen)


@contextmanager
def _no_casts() -> Iterator[None]:
    """Turn numpy's warning that an imaginary part is dropped into an error, which ``UserCost`` reports."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        yield
