"""Diagnostics of a network during training, as numbers and as warnings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.core.objective import Objective
from mnist_bp.network import Network
from mnist_bp.training.evaluation import Evaluation

__all__ = ["Health", "inspect", "sample", "warnings"]

EXAMPLES = 300
"""Number of training examples to inspect, 0.5 % of MNIST, which takes about 0.5 % of an epoch's time."""

SATURATED_SLOPE = 0.01
"""Value of σ′ below which a neuron counts as saturated. At z = 0, σ′ is ¼ (sigmoid) or 1 (tanh)."""

AT_CHANCE = 0.99
"""Fraction of the best constant output's cost above which a cost is at chance. The cost of networks that learn nothing
fluctuates around that of the best constant output."""

NEARLY_ALL = 0.95
"""Fraction of saturated cases in a layer above which a network that learns causes a warning. Measured: at most 0.61
after 30 epochs with the defaults, and 0.71 after 100. It is 0.9 at ten times the learning rate, with 92 % accuracy."""

HALF = 0.5
"""Fraction of saturated cases above which a network at chance causes a warning. Measured: 0.06 for a network that
starts slowly, 0.6 and more after steps that were too large. It is also the fraction of dead relus above which they
cause a warning; small layers with few examples temporarily have 0.3."""

VANISHING = 1e-2
"""Smallest ratio of a layer's gradient norm to the last layer's without a warning. Measured: 0.5 and more with the
defaults, 0.03 with four layers of 16 sigmoids, which take two epochs to start, and 0.005 with five, which take more
than
three."""

NO_GRADIENT = 1e-3
"""Gradient norm of the last layer below which a network at chance is stuck. Measured: 0.01 and more for a network that
starts slowly, 1e-5 for outputs that are stuck."""

FEW = 5
"""Largest number of classes that a warning names. It counts the others."""


@dataclass(frozen=True)
class Health:
    """Diagnostics of a network. A value that does not apply to its σ is None.

    Attributes
    ----------
    saturated
        Fraction of cases (neuron and example) with σ′(z) < 0.01 in each hidden layer of sigmoids or tanhs.
    dead
        Fraction of neurons that no example activates in each hidden layer of relus. Leaky relus are never dead.
    gradient_norm
        Euclidean norm of each layer's gradient, over all its ∂C/∂w and ∂C/∂b, with C the mean over the examples.
    never_predicted
        Classes of the test set that the network never predicts.
    at_chance
        True if the test cost is no better than that of the best constant output.
    """

    saturated: tuple[float, ...] | None
    dead: tuple[float, ...] | None
    gradient_norm: tuple[float, ...]
    never_predicted: tuple[int, ...]
    at_chance: bool

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Health":
        """Return the diagnostics in a record of a history or a checkpoint.

        A record of another version may lack fields, which then have their defaults, or have additional ones.
        """
        return cls(**{field.name: record[field.name] for field in fields(cls) if field.name in record})


def sample(examples: Array) -> Array:
    """Return ``EXAMPLES`` evenly spaced rows, of images or of labels."""
    return examples[:: max(1, len(examples) // EXAMPLES)][:EXAMPLES]


def inspect(network: Network, X: Array, labels: NDArray[np.uint8], test: Evaluation) -> Health:
    """Compute the diagnostics of a network by one forward and one backward pass.

    Parameters
    ----------
    X, labels
        Network inputs of training examples, (n, n_0), and their labels, (n,). A ``sample`` is enough.
    test
        Evaluation on the test set, or on the set that stands for it.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow shows in the cost, which is checked before
        objective = Objective(X, network.one_hot(labels))
        trace = objective.trace(network)
        gradient = objective.gradient(network, trace)
    hidden = range(1, network.L)
    entry = ACTIVATIONS[network.activation]
    return Health(
        saturated=tuple(_fraction(trace.dA_dZ[l] < SATURATED_SLOPE) for l in hidden) if entry.can_saturate else None,
        dead=tuple(_fraction(trace.A[l].max(axis=0) <= 0) for l in hidden) if entry.can_die else None,
        gradient_norm=tuple(_norm(block) for block in gradient.blocks),
        never_predicted=tuple(np.flatnonzero(test.confusion.any(axis=1) & ~test.confusion.any(axis=0)).tolist()),
        at_chance=_is_at_chance(network.cost, test),
    )


def warnings(health: Health, *, finished: bool = True) -> list[str]:
    """Return one line for each problem, with its extent and advice.

    Parameters
    ----------
    finished
        True if the training has ended. Before that, there is no warning about problems that further epochs may solve: a
        cost at chance without a visible cause, and classes that are never predicted.
    """
    # Saturated or dead neurons also make the gradient vanish: warn about the cause only.
    causes = [*_saturated(health), *_dead(health)] or [*_vanishing(health)]
    if health.at_chance and (causes or finished):
        return [_at_chance(advice="" if causes else ": try more --epochs, or another --learning-rate"), *causes]
    return causes + ([*_never_predicted(health)] if finished else [])


def _at_chance(advice: str) -> str:
    return f"the test cost is at chance (a constant output for every image costs no more){advice}"


def _saturated(health: Health) -> Iterator[str]:
    if found := _from(health.saturated, HALF if health.at_chance else NEARLY_ALL):
        yield (
            f"{_layers(found)}: the neurons are saturated (σ′ < {SATURATED_SLOPE}) in {_percent(found)} of all cases, "
            "so hardly any gradient passes through them: try a smaller --learning-rate"
        )


def _dead(health: Health) -> Iterator[str]:
    if found := _from(health.dead, HALF):
        yield (
            f"{_layers(found)}: {_percent(found)} of the neurons are dead (no example activates them) and cannot "
            "learn: try a smaller --learning-rate, or --activation leaky-relu"
        )


def _vanishing(health: Health) -> Iterator[str]:
    *hidden, last = health.gradient_norm
    least = min(hidden, default=last)
    if health.at_chance and last < NO_GRADIENT:
        yield (
            f"layer {len(hidden) + 1}: the outputs are stuck (the norm of the gradient is {last:.1g}), so no layer "
            "can learn: try a smaller --learning-rate"
        )
    elif least < VANISHING * last:
        relu = "" if health.saturated is None else ", or --activation relu"
        yield (
            f"layer {hidden.index(least) + 1}: the gradient vanishes (its norm is {least:.1g} here, "
            f"{last:.1g} in the last layer): try fewer hidden layers{relu}"
        )


def _never_predicted(health: Health) -> Iterator[str]:
    never = health.never_predicted
    if never:
        named = ("class " if len(never) == 1 else "classes ") + ", ".join(map(str, never[:FEW]))
        more = f" and {len(never) - FEW} more" if len(never) > FEW else ""
        yield f"{named}{more}: never predicted on the test set: try more --epochs, or a smaller --learning-rate"


def _from(fractions: Sequence[float] | None, limit: float) -> dict[int, float]:
    """Return the hidden layers, by number, whose fraction reaches the limit."""
    return {layer: fraction for layer, fraction in enumerate(fractions or (), 1) if fraction >= limit}


def _layers(found: Mapping[int, float]) -> str:
    return ("layer " if len(found) == 1 else "layers ") + ", ".join(map(str, found))


def _percent(found: Mapping[int, float]) -> str:
    return ", ".join(f"{100 * fraction:.0f} %" for fraction in found.values())


def _fraction(cases: NDArray[np.bool_]) -> float:
    """Return the fraction of True values."""
    return float(cases.mean())


def _norm(block: Array) -> float:
    """Return the Euclidean norm, computed in float64, in which the squares of small numbers do not underflow."""
    return float(np.linalg.norm(block.astype(np.float64)))


def _is_at_chance(cost: str, test: Evaluation) -> bool:
    """Return True if the best constant output, the vector of class frequencies, costs no more.

    Return False with a single class, or if the cost does not declare what a constant output costs.
    """
    p = test.confusion.sum(axis=1) / test.examples
    p = p[p > 0]
    at_chance = COSTS[cost].at_chance
    return at_chance is not None and len(p) > 1 and not test.cost < AT_CHANCE * at_chance(p)
