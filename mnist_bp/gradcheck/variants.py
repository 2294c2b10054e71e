"""Known bugs that have variants, all of which are compared with the user's gradient: which activation, which step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from mnist_bp.core.activations import Activation, Array
from mnist_bp.core.choices import ACTIVATIONS, COSTS, OUTPUT_ACTIVATIONS
from mnist_bp.core.choices import activation as activation_named
from mnist_bp.core.network import Layers
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.gradcheck import planted_bugs as planted
from mnist_bp.gradcheck.steps import Steps

OTHER_FUNCTIONS = "another activation or cost is computed"
OTHER_SLOPE = "σ′ of another activation is used in hidden layers"
ONE_NUMBER = "all biases of a layer have the same derivative"
NEEDS_AXIS = "np.sum and np.mean need axis=0, to sum over the examples only"
UPDATED = "the error is carried back through weights that are already updated"
WHOLE_GRADIENT_FIRST = "compute the whole gradient before any step"


CORRECT = Steps()
"""Backpropagation without a bug."""


class Evidence(NamedTuple):
    """A wrong gradient and what it was computed from.

    Attributes
    ----------
    network, X, Y
        Network and mini-batch.
    gradient
        The user's gradient.
    here
        True for entries whose values come from this mini-batch.
    """

    network: Layers
    X: Array
    Y: Array
    gradient: ParameterVector
    here: ParameterVector


class Candidate(NamedTuple):
    """A gradient to compare the user's with, a sentence that explains equality, and the network that it is from."""

    sentence: str
    gradient: ParameterVector
    network: Layers


Search = Callable[[Evidence], Iterator[Candidate]]
"""Function that yields the gradients of all variants of a bug."""


@dataclass
class _Functions:
    """Layers of a network with another activation, cost or output activation."""

    L: int
    sizes: tuple[int, ...]
    W: dict[int, Array]
    b: dict[int, Array]
    σ: dict[int, Activation]
    cost: str


def _with_functions(network: Layers, activation: str, cost: str, outputs: str) -> Layers:
    """Return a network with the same parameters and other functions."""
    names = dict.fromkeys(range(1, network.L), activation) | {network.L: outputs}
    σ = {l: activation_named(name) for l, name in names.items()}
    return _Functions(network.L, network.sizes, network.W, network.b, σ, cost)


def gradients_of_other_functions(evidence: Evidence) -> Iterator[Candidate]:
    """Yield the right gradients of all pairs of activation and cost, and of linear outputs."""
    for activation, (name, cost) in product(ACTIVATIONS, COSTS.items()):
        linear = [each for each, σ in OUTPUT_ACTIVATIONS.items() if σ.is_elementwise and cost.dC_dA is not None]
        for outputs in (cost.output_activation, *linear):
            network = _with_functions(evidence.network, activation, name, outputs)
            options = f"--activation {activation} --cost {name}"
            check = "check it with these options"
            if outputs in linear:
                check = f"check it in Python with Network(…, output_activation={outputs!r})"
                options += f" and {outputs} outputs"
            sentence = f"{OTHER_FUNCTIONS}: the function agrees with {options}; {check}"
            yield Candidate(sentence, CORRECT(network, evidence.X, evidence.Y), network)


def gradient_of_another_activation(network: Layers, X: Array, Y: Array) -> ParameterVector:
    """Return the right gradient of a network with another activation and the same cost."""
    activation = next(name for name, σ in ACTIVATIONS.items() if σ is not network.σ[1])
    return CORRECT(_with_functions(network, activation, network.cost, COSTS[network.cost].output_activation), X, Y)


def gradients_with_other_slopes(evidence: Evidence) -> Iterator[Candidate]:
    """Yield backpropagation with the σ′ of each activation in the hidden layers."""
    for name, σ in ACTIVATIONS.items():
        steps = Steps(hidden_slope=planted.slope_of_activation(σ))
        sentence = f"{OTHER_SLOPE}: it is σ′ of {name}"
        yield Candidate(sentence, steps(evidence.network, evidence.X, evidence.Y), evidence.network)


def gradient_with_another_slope(network: Layers, X: Array, Y: Array) -> ParameterVector:
    """Return backpropagation with the σ′ of another activation in the hidden layers."""
    other = next(σ for σ in ACTIVATIONS.values() if σ is not network.σ[1])
    return Steps(hidden_slope=planted.slope_of_activation(other))(network, X, Y)


def gradients_of_one_number(evidence: Evidence) -> Iterator[Candidate]:
    """Yield backpropagation with one number for each layer's biases: a sum or a mean over the neurons."""
    for reduce in (np.sum, np.mean):
        steps = Steps(biases=planted.one_number(reduce))
        gradient = steps(evidence.network, evidence.X, evidence.Y)
        yield Candidate(f"{ONE_NUMBER}: {NEEDS_AXIS}", gradient, evidence.network)


def gradients_by_updated_weights(evidence: Evidence, steps: Steps = CORRECT) -> Iterator[Candidate]:
    """Yield backpropagation through W − step × ∂C/∂W, with the step that fits the last hidden layer.

    The gradient of that layer is linear in the step. ``steps`` may contain another bug.
    """
    network, X, Y = evidence.network, evidence.X, evidence.Y
    if network.L == 1:
        return
    no_step, one_step = (steps | Steps(carry_back=planted.carry_by_updated(step)) for step in (0.0, 1.0))
    here = evidence.here.blocks[-2]
    g, still, moved = (
        each.blocks[-2][here] for each in (evidence.gradient, no_step(network, X, Y), one_step(network, X, Y))
    )
    if not np.isfinite(moved).all():
        return
    (factor, change), *_ = np.linalg.lstsq(np.column_stack([still, moved - still]), g, rcond=None)
    if factor and change:
        step = float(change / factor)
        sentence = f"{UPDATED} (by {step:.3g} times their derivatives): {WHOLE_GRADIENT_FIRST}"
        gradient = (steps | Steps(carry_back=planted.carry_by_updated(step)))(network, X, Y)
        yield Candidate(sentence, gradient, network)
