"""A recipe: all that decides what a training comes to. It needs no numpy, so that options are checked at once."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mnist_bp.core.names import MOMENTUM, ActivationName, CostName, DtypeName, OptimizerName
from mnist_bp.cores import usable_cores
from mnist_bp.data.names import AugmentName, DatasetName
from mnist_bp.errors import InputError
from mnist_bp.training.schedules import ScheduleName

__all__ = [
    "Hyperparameters",
    "Recipe",
    "default_learning_rate",
    "default_threads",
    "format_batch_size",
    "format_hidden",
    "format_sizes",
    "parse_batch_size",
    "parse_hidden",
    "refuse_dropout_of_nothing",
]

_LEARNING_RATES: Mapping[tuple[ActivationName, CostName], float] = {
    ("sigmoid", "squared-error"): 2.0,
    ("sigmoid", "cross-entropy"): 1.0,
    ("tanh", "squared-error"): 0.5,
    ("tanh", "cross-entropy"): 0.2,
    ("relu", "squared-error"): 0.5,
    ("relu", "cross-entropy"): 0.2,
    ("leaky-relu", "squared-error"): 0.5,
    ("leaky-relu", "cross-entropy"): 0.2,
}
"""Chosen on 10,000 held-out training images (10 epochs, batches of 100) as a value with room on both sides at each of
16,16 / 30 / 32,32,32 / 100 / 300,100 / 800, not as the best for one of them."""

ADAM_LEARNING_RATE = 0.001
"""That of Kingma and Ba 2015."""

MANY_NEURONS = 512
"""From this width on, threads share the arithmetic of a mini-batch: with 800 neurons, an epoch then takes two thirds of
the time on two cores that nobody else uses. Where others use them, threads wait for each other, many times as long."""


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """How a network is trained, each setting with the name of its option.

    Attributes
    ----------
    learning_rate
        η, which the schedule multiplies.
    batch_size
        Examples in a mini-batch; None: all of them in each step.
    epochs
        Times that every example is seen.
    seed
        Of the order of the examples, of dropout and of distortions: each epoch's are drawn from it and from the epoch's
        number, so that nothing about randomness has to be kept from one epoch to the next.
    l2
        λ of the penalty λ/2 Σ w² on the weights.
    dropout, input_dropout
        Share of the hidden neurons, and of the inputs, that are left out of each example, at least 0 and below 1.
    label_smoothing
        Share of each target that is spread over all classes, at least 0 and below 1.
    average
        Decay of the running average of the parameters, above 0 and below 1, which is then what is evaluated; None: the
        parameters are.
    augment, augment_strength
        How training images are distorted, and how much of the usual strength.
    early_stop
        Epochs without a better validation accuracy after which training stops; None: it does not.
    """

    learning_rate: float
    batch_size: int | None
    epochs: int
    seed: int
    optimizer: OptimizerName = "sgd"
    schedule: ScheduleName = "constant"
    l2: float = 0.0
    dropout: float = 0.0
    input_dropout: float = 0.0
    label_smoothing: float = 0.0
    average: float | None = None
    augment: AugmentName = "none"
    augment_strength: float = 1.0
    early_stop: int | None = None


@dataclass(frozen=True, kw_only=True)
class Recipe(Hyperparameters):
    """All settings of a training: the network, its hyperparameters, the data.

    ``hidden`` are the neurons of the hidden layers; ``limit`` is the number of training examples used, None for all, of
    which ``validation`` are held out; ``dataset`` None means the files in ``data_dir`` itself, whose labels lie below
    ``classes``, None for 10, or, where there are none, MNIST.

    Raises
    ------
    InputError
        If settings contradict each other.
    """

    hidden: tuple[int, ...]
    activation: ActivationName
    cost: CostName
    dtype: DtypeName
    threads: int
    dataset: DatasetName | None
    data_dir: Path | None
    limit: int | None
    classes: int | None = None
    validation: int | None = None

    def __post_init__(self) -> None:
        if self.early_stop is not None and self.validation is None:
            raise InputError("--early-stop looks at validation examples: say how many to hold out, with --validation")
        refuse_dropout_of_nothing(self.dropout, self.hidden)
        if self.augment_strength != 1 and self.augment == "none":
            raise InputError("--augment-strength is of --augment, which is none")

    @property
    def may_change(self) -> set[str]:
        """Options that may change on resume: the place of the data, threads; epochs, if no rate depends on them."""
        return {"data-dir", "threads"} | ({"epochs"} if self.schedule == "constant" else set())

    def options(self) -> dict[str, Any]:
        """Give the recipe as a config: options and values, as far as set. ``train --config`` on it repeats the run."""
        settings = {field.name.replace("_", "-"): getattr(self, field.name) for field in fields(self)}
        settings |= {
            "hidden": format_hidden(self.hidden),
            "batch-size": format_batch_size(self.batch_size),
            "data-dir": None if self.data_dir is None else os.path.realpath(self.data_dir),
        }
        return {name: settings[name] for name in sorted(settings) if settings[name] is not None}


def default_learning_rate(activation: ActivationName, cost: CostName, optimizer: OptimizerName = "sgd") -> float:
    """η where none is given: one that trains every width."""
    if optimizer == "adam":
        return ADAM_LEARNING_RATE
    rate = _LEARNING_RATES[activation, cost]
    return rate if optimizer == "sgd" else rate * (1 - MOMENTUM)


def refuse_dropout_of_nothing(dropout: float, hidden: Sequence[int]) -> None:
    """InputError if hidden neurons are to be left out where there are none."""
    if dropout and not hidden:
        raise InputError("--dropout leaves out hidden neurons; this network has none (--input-dropout: inputs)")


def parse_hidden(text: str) -> tuple[int, ...]:
    """The neurons of the hidden layers: "16,16" gives (16, 16), "none" gives ()."""
    if text.strip().lower() == "none":
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(map(_is_count, parts)):
        raise InputError(f"expected neurons of each hidden layer, like 16,16, or none; got {text!r}")
    return tuple(int(part) for part in parts)


def format_hidden(hidden: tuple[int, ...]) -> str:
    """What ``parse_hidden`` reads."""
    return ",".join(map(str, hidden)) or "none"


def format_sizes(sizes: Sequence[int]) -> str:
    """The neurons of all layers, as people and the names of runs have them: 784-16-16-10."""
    return "-".join(map(str, sizes))


def parse_batch_size(text: str) -> int | None:
    """Examples in a mini-batch: "100" gives 100, "all" gives None."""
    if text.strip().lower() == "all":
        return None
    if not _is_count(text.strip()):
        raise InputError(f"expected a whole number of examples of 1 or more, or all; got {text!r}")
    return int(text)


def format_batch_size(batch_size: int | None) -> str:
    """What ``parse_batch_size`` reads."""
    return "all" if batch_size is None else str(batch_size)


def _is_count(text: str) -> bool:
    """Whether this is a whole number from 1 to 999,999,999."""
    return text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0


def default_threads(hidden: tuple[int, ...], augment: AugmentName = "none") -> int:
    """Return the fastest number of threads: 1 for narrow layers, all usable cores from ``MANY_NEURONS`` neurons on.

    Augmentation keeps one of these cores busy by itself.
    """
    cores = usable_cores()
    if max(hidden, default=0) < MANY_NEURONS:
        return 1
    return cores if augment == "none" else max(1, cores - 1)
