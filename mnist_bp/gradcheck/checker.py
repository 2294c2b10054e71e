"""Complete check of one network's gradient: every method, the diagnosis of a failure, and independent tests."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.adversarial import adversarial_inputs
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.core.regularization import draw_masks, smoothed_targets
from mnist_bp.errors import InputError
from mnist_bp.gradcheck.check import Reference, UserGradient
from mnist_bp.gradcheck.diagnose import diagnose
from mnist_bp.gradcheck.imported import import_object
from mnist_bp.gradcheck.numerical_gradient import EPSILON, Method
from mnist_bp.gradcheck.own_cost import OwnCost, UserCost
from mnist_bp.gradcheck.ratios import common_ratios
from mnist_bp.gradcheck.result import PASSING, Check, Outcome
from mnist_bp.gradcheck.second_opinion import direction_errors, taylor_slopes
from mnist_bp.gradcheck.user_function import Convention, UserFunction, load_function
from mnist_bp.network import Network

__all__ = ["Checker", "Regularization", "Report", "draw_biases"]

FULL_CHECK = 250_000
"""Largest number of parameters for which every one is nudged."""

FULL_CHECK_OF_OWN_COST = 20_000
"""Largest number of parameters for which every one is nudged if the cost is the user's, computed from the inputs each
time. Of each array of a larger network, this number divided by the number of arrays is drawn."""

SAMPLE_WORK = 2_000_000_000
"""Multiplications to spend on the sample of each array of a larger network."""

DROPOUT, BIASES = 1, 2
"""Numbers of the random streams that draw dropout masks and biases, separate from the stream of the check."""


class Regularization(NamedTuple):
    """Regularization settings of a training, named like their options. 0 turns one off."""

    l2: float = 0
    dropout: float = 0
    input_dropout: float = 0
    label_smoothing: float = 0
    adversarial: float = 0

    @property
    def in_use(self) -> dict[str, float]:
        """Nonzero values by option name."""
        return {name.replace("_", "-"): value for name, value in self._asdict().items() if value}


def draw_biases(network: Network, seed: int) -> None:
    """Add numbers from N(0, ¼²) to the biases, in place. Where they are 0, as in many fresh networks, bugs are hidden.

    A forward pass without biases or an L2 term of them would be right.
    """
    rng = np.random.default_rng([seed, BIASES])
    for b in network.biases:
        b += rng.standard_normal(b.shape) / 4


@dataclass(frozen=True)
class Report:
    """Results of checking one network's gradient.

    ``checks`` holds one check for each method, the most precise first. ``sample`` is the number of entries nudged in
    each array, or None for all. ``function`` is the name of the user's function, or None for built-in backpropagation;
    ``convention`` is how it was called, and ``habits`` are its side effects: see ``UserFunction``. ``cost_function`` is
    the name of the user's cost, or None for the network's.
    """

    network: Network
    objective: Objective
    regularization: Regularization
    checks: list[Check]
    sample: int | None
    function: str | None
    convention: Convention | None = None
    habits: tuple[str, ...] = ()
    cost_function: str | None = None

    @property
    def outcome(self) -> Outcome:
        """Outcome of all methods: the first of failed, undecided, float32 and passed that one of them has."""
        found = {check.outcome for check in self.checks}
        return next(outcome for outcome in ("failed", "undecided", "float32", "passed") if outcome in found)

    @property
    def passed(self) -> bool:
        """True if every method verified the gradient, if only to the precision of float32."""
        return self.outcome in PASSING

    @property
    def failed(self) -> Check | None:
        """First check that failed, or None."""
        return next((check for check in self.checks if check.outcome == "failed"), None)

    @property
    def remark(self) -> str:
        """Precision to which the gradient agrees if the outcome is float32, relative to each array's largest entry."""
        found = (check.agreement for check in self.checks if check.outcome == "float32")
        return f"agrees to {max(found):.1e}: computed in float32?" if self.outcome == "float32" else ""

    @cached_property
    def diagnosis(self) -> list[str]:
        """Sentences that describe the bug behind the failure."""
        if self.failed is None:
            return []
        if isinstance(self.objective, OwnCost):
            return common_ratios(self.failed)
        return diagnose(self.failed, self.network, self.objective)

    @cached_property
    def gradient(self) -> ParameterVector:
        """Gradient that was checked."""
        return self.objective.gradient(self.network)

    @cached_property
    def slopes(self) -> tuple[float, ...]:
        """Orders of the Taylor test: see ``taylor_slopes``."""
        return taylor_slopes(self.network, self.objective, self.gradient, rng=np.random.default_rng(0))

    @cached_property
    def directions(self) -> list[float]:
        """Relative errors in random directions, for a sample: see ``direction_errors``."""
        if isinstance(self.objective, OwnCost):
            return self.objective.direction_errors(self.network, self.gradient, self.checks[0].method)
        return direction_errors(self.network, self.objective, self.gradient, rng=np.random.default_rng(0))


class Checker(NamedTuple):
    """Settings of a gradient check; the fields are the options of the command.

    ``function`` is the user's backpropagation, a callable or MODULE:NAME. If None, the built-in one is checked.
    ``signature`` and ``layout`` are words of the options of these names. Default: detected. ``cost_function`` is the
    cost of the user's network, a callable or MODULE:NAME. If None, it is the network's.
    """

    methods: tuple[Method, ...]
    epsilon: float = EPSILON
    tolerance: float | None = None
    seed: int = 0
    function: Callable[..., Any] | str | None = None
    regularization: Regularization = Regularization()
    signature: tuple[str, ...] = ()
    layout: tuple[str, ...] = ()
    cost_function: Callable[..., Any] | str | None = None

    def run(self, network: Network, X: Array, labels: NDArray[np.uint8]) -> Report:
        """Check a network by each method on the examples X, (n, n_0). The check computes in float64."""
        double = network.astype(np.float64)
        return self.report(double, self._objective(double, X, labels))

    def references(self, double: Network, objective: Objective) -> list[Reference]:
        """Return the numerical derivatives by each method, for several gradients on the same mini-batch."""
        methods = self._methods_for(objective, double) if isinstance(objective, OwnCost) else self.methods
        return [self._reference(double, objective, method) for method in methods]

    def report(self, double: Network, objective: Objective, references: list[Reference] | None = None) -> Report:
        """Check the gradient of an objective for a network in float64. Default: with its own ``references``."""
        references = references or self.references(double, objective)
        checks = [reference.check(objective) for reference in references]
        is_automatic = len(references) < len(self.methods)  # the complex step was chosen for the user's cost
        if isinstance(objective, OwnCost) and is_automatic and checks[0].outcome == "failed":
            again = self._reference(double, objective, "central").check(objective)
            checks = [again] if again.passed else checks  # then the cost is not analytic
        report = Report(
            double,
            objective,
            self.regularization,
            checks,
            self._sample(objective, double),
            _name(self.function),
            cost_function=_name(self.cost_function),
        )
        own = getattr(objective, "backpropagate", None)
        if isinstance(own, UserFunction):
            return replace(report, convention=own.convention, habits=tuple(own.habits))
        return report

    def _reference(self, double: Network, objective: Objective, method: Method) -> Reference:
        return Reference(
            double,
            objective,
            method=method,
            rng=np.random.default_rng(self.seed),
            epsilon=self.epsilon,
            tolerance=self.tolerance,
            sample=self._sample(objective, double),
        )

    def _sample(self, objective: Objective, network: Network) -> int | None:
        """Return the number of entries of each array to nudge, or None for all."""
        parameters = len(network.parameters)
        if isinstance(objective, OwnCost):
            most = FULL_CHECK_OF_OWN_COST
            return None if parameters <= most else most // (2 * network.L)
        return None if parameters <= FULL_CHECK else max(10, SAMPLE_WORK // (len(objective.X) * parameters))

    def _methods_for(self, objective: OwnCost, network: Network) -> tuple[Method, ...]:
        """Return the method for the user's cost: the complex step if it is analytic, else central differences.

        Raises
        ------
        InputError
            If only the complex step is wanted, and the cost is not analytic.
        """
        objective.refuse_overflow(network)
        if self.methods == ("central",) or objective.is_analytic(network, np.random.default_rng(self.seed)):
            return self.methods[:1]
        if self.methods == ("complex",):
            raise InputError(f"--cost-function {_name(self.cost_function)} is not analytic: use --method central")
        return ("central",)

    def _objective(self, network: Network, X: Array, labels: NDArray[np.uint8]) -> Objective:
        """Return the objective that training would minimize for these examples as a mini-batch."""
        X, targets = network.inputs(X), network.targets(labels)
        if self.function is not None:
            function = self._user_function(self.function)
            if self.cost_function is not None:
                return OwnCost(X, targets, backpropagate=function, cost_function=self._user_cost(function))
            return UserGradient(X, targets, backpropagate=function)
        l2, dropout, input_dropout, label_smoothing, adversarial = self.regularization
        masks = draw_masks(
            network.sizes,
            len(X),
            rate=dropout,
            input_rate=input_dropout,
            rng=np.random.default_rng([self.seed, DROPOUT]),
            dtype=np.float64,
        )
        Y = targets @ smoothed_targets(network.sizes[-1], label_smoothing, np.float64)
        objective = Objective(X, Y, masks, l2)
        if adversarial:  # the mean of the costs of both halves is that of a mini-batch with both
            objective = objective.with_inputs(np.concatenate([X, adversarial_inputs(network, objective, adversarial)]))
        return objective

    def _user_cost(self, function: UserFunction) -> UserCost:
        name, found, method = str(_name(self.cost_function)), self.cost_function, ""
        if isinstance(found, str):
            found, method = import_object(name, "--cost-function")
        return UserCost(found, name, function, method)

    def _user_function(self, function: Callable[..., Any] | str) -> UserFunction:
        if isinstance(function, str):
            return load_function(function, signature=self.signature, layout=self.layout)
        return UserFunction(function, str(_name(function)), signature=self.signature, layout=self.layout)


def _name(function: Callable[..., Any] | str | None) -> str | None:
    return getattr(function, "__qualname__", repr(function)) if callable(function) else function
