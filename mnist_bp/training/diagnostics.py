"""What goes wrong inside a network while it trains, in figures and in plain words."""

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
"""Training examples that are enough to look at: 0.5 % of an epoch of MNIST, and so of its time."""

SATURATED_SLOPE = 0.01
"""Of a neuron whose σ′ is smaller, hardly any gradient gets through; at z = 0, σ′ is ¼ (sigmoid) or 1 (tanh)."""

AT_CHANCE = 0.99
"""A cost of so much of the best constant answer's is no better: networks that learn nothing waver around it."""

NEARLY_ALL = 0.95
"""Share of a layer's cases from which on saturation is a complaint of a network that learns. Measured: at most 0.61
after 30 epochs with the defaults and 0.71 after 100; 0.9 at ten times their learning rate, which comes to 92 %."""

HALF = 0.5
"""The same at chance, where a network that only starts slowly has 0.06 and one that went too far from 0.6 on. And the
share of dead relus from which on they are a complaint: 0.3 for a while with small layers and few examples."""

VANISHING = 1e-2
"""Of the last layer's gradient, what a layer has to have: 0.5 and more with the defaults, 0.03 where four layers of 16
sigmoids take two epochs to start, 0.005 where five take more than three."""

NO_GRADIENT = 1e-3
"""Of the last layer, at chance: 0.01 and more where a network starts slowly, 1e-5 where the outputs are stuck."""

FEW = 5
"""Classes that are named; of more only the number."""


@dataclass(frozen=True)
class Health:
    """What a network looks like from inside; a figure that has no meaning for its σ is None.

    Attributes
    ----------
    saturated
        Of each hidden layer of sigmoids or tanhs: the share of cases, a neuron on an example, with σ′(z) < 0.01.
    dead
        Of each hidden layer of relus: the share of neurons that no example activates. (A leaky one is never dead.)
    gradient_norm
        Of each layer: √ of the sum of the squares of all its ∂C/∂w and ∂C/∂b, C the mean over the examples.
    never_predicted
        Classes of the test set that the network never answers.
    at_chance
        Whether the test cost is no better than that of the best answer that does not look at the image.
    """

    saturated: tuple[float, ...] | None
    dead: tuple[float, ...] | None
    gradient_norm: tuple[float, ...]
    never_predicted: tuple[int, ...]
    at_chance: bool

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Health":
        """Return the diagnostics that a history or a checkpoint recorded.

        A record of another version may lack fields, which then have their defaults, or have more of them.
        """
        return cls(**{field.name: record[field.name] for field in fields(cls) if field.name in record})


def sample(examples: Array) -> Array:
    """As many rows as are looked at, taken at even distances: of images as of their labels."""
    return examples[:: max(1, len(examples) // EXAMPLES)][:EXAMPLES]


def inspect(network: Network, X: Array, labels: NDArray[np.uint8], test: Evaluation) -> Health:
    """Look inside a network while it works on some examples: one forward and one backward pass.

    Parameters
    ----------
    X, labels
        Training examples as the network sees them, (n, n_0), and their labels, (n,): a ``sample`` is enough.
    test
        What the network makes of the test set.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # numbers that are too large: the cost has said so
        objective = Objective(X, network.one_hot(labels))
        trace = objective.trace(network)
        gradient = objective.gradient(network, trace)
    hidden = range(1, network.L)
    entry = ACTIVATIONS[network.activation]
    return Health(
        saturated=tuple(_share(trace.dA_dZ[l] < SATURATED_SLOPE) for l in hidden) if entry.can_saturate else None,
        dead=tuple(_share(trace.A[l].max(axis=0) <= 0) for l in hidden) if entry.can_die else None,
        gradient_norm=tuple(_norm(block) for block in gradient.blocks),
        never_predicted=tuple(np.flatnonzero(test.confusion.any(axis=1) & ~test.confusion.any(axis=0)).tolist()),
        at_chance=_is_at_chance(network.cost, test),
    )


def warnings(health: Health, *, finished: bool = True) -> list[str]:
    """Say in plain lines what is wrong, how bad, and what to try; nothing if all is well.

    Parameters
    ----------
    finished
        Whether the training is over. While it lasts, what further epochs may mend by themselves is no complaint: a cost
        at chance for no reason that shows, classes that are not answered yet.
    """
    # Where neurons are saturated or dead the gradient vanishes too: one trouble, said once.
    causes = [*_saturated(health), *_dead(health)] or [*_vanishing(health)]
    if health.at_chance and (causes or finished):
        return [_at_chance(advice="" if causes else ": try more --epochs, or another --learning-rate"), *causes]
    return causes + ([*_never_predicted(health)] if finished else [])


def _at_chance(advice: str) -> str:
    return f"the test cost is at chance (one fixed answer to every image costs no more){advice}"


def _saturated(health: Health) -> Iterator[str]:
    if found := _from(health.saturated, HALF if health.at_chance else NEARLY_ALL):
        yield (
            f"{_layers(found)}: the neurons are saturated (σ′ < {SATURATED_SLOPE}) in {_percent(found)} of all cases, "
            "so hardly any gradient gets through: try a smaller --learning-rate"
        )


def _dead(health: Health) -> Iterator[str]:
    if found := _from(health.dead, HALF):
        yield (
            f"{_layers(found)}: {_percent(found)} of the neurons are dead (no example activates them) and learn no "
            "more: try a smaller --learning-rate, or --activation leaky-relu"
        )


def _vanishing(health: Health) -> Iterator[str]:
    *hidden, last = health.gradient_norm
    least = min(hidden, default=last)
    if health.at_chance and last < NO_GRADIENT:
        yield (
            f"layer {len(hidden) + 1}: the outputs are stuck (the norm of the gradient is {last:.1g}), so no layer "
            "learns any more: try a smaller --learning-rate"
        )
    elif least < VANISHING * last:
        relu = "" if health.saturated is None else ", or --activation relu"
        yield (
            f"layer {hidden.index(least) + 1}: the gradient vanishes on its way back (its norm is {least:.1g} here, "
            f"{last:.1g} in the last layer): try fewer hidden layers{relu}"
        )


def _never_predicted(health: Health) -> Iterator[str]:
    never = health.never_predicted
    if never:
        named = ("class " if len(never) == 1 else "classes ") + ", ".join(map(str, never[:FEW]))
        more = f" and {len(never) - FEW} more" if len(never) > FEW else ""
        yield f"{named}{more}: never the answer to any test example: try more --epochs, or a smaller --learning-rate"


def _from(shares: Sequence[float] | None, limit: float) -> dict[int, float]:
    """The hidden layers, by number, whose share reaches the limit."""
    return {layer: share for layer, share in enumerate(shares or (), 1) if share >= limit}


def _layers(found: Mapping[int, float]) -> str:
    return ("layer " if len(found) == 1 else "layers ") + ", ".join(map(str, found))


def _percent(found: Mapping[int, float]) -> str:
    return ", ".join(f"{100 * share:.0f} %" for share in found.values())


def _share(cases: NDArray[np.bool_]) -> float:
    """How much of it is true."""
    return float(cases.mean())


def _norm(block: Array) -> float:
    """The Euclidean norm; in float64, where the squares of small numbers are not 0."""
    return float(np.linalg.norm(block.astype(np.float64)))


def _is_at_chance(cost: str, test: Evaluation) -> bool:
    """Whether the best constant answer, the shares p of the classes, costs no more; never where there is one class.

    It costs Σ_j p_j (1 − p_j) as squared error (Brier 1950), and −Σ_j p_j ln p_j, the entropy, as cross-entropy
    (Shannon 1948).
    """
    p = test.confusion.sum(axis=1) / test.examples
    p = p[p > 0]
    answers = np.tile(p, (len(p), 1))  # the same to an example of each class
    chance = p @ COSTS[cost].per_example(np.log(answers), answers, np.eye(len(p)))
    return len(p) > 1 and not test.cost < AT_CHANCE * chance
