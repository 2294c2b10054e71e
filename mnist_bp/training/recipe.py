"""A recipe: all that decides what a training comes to. It needs no numpy, so that options are checked at once."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_bp.core.names import ActivationName, CostName, DtypeName
from mnist_bp.data.names import DatasetName
from mnist_bp.errors import InputError

__all__ = [
    "Recipe",
    "default_learning_rate",
    "default_threads",
    "format_batch_size",
    "format_hidden",
    "format_sizes",
    "parse_batch_size",
    "parse_hidden",
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

MANY_NEURONS = 512
"""From this width on, threads share the arithmetic of a mini-batch: with 800 neurons, an epoch then takes two thirds of
the time on two cores that nobody else uses. Where others use them, threads wait for each other, many times as long."""


@dataclass(frozen=True)
class Recipe:
    """The settings of a training, each with the name of its option.

    ``hidden`` are the neurons of the hidden layers; ``batch_size`` None means all examples; ``limit`` is the number of
    training examples used, None for all; ``dataset`` None means the files in ``data_dir`` itself, whose labels lie
    below ``classes``, None for 10, or, where there are none, MNIST.
    """

    hidden: tuple[int, ...]
    activation: ActivationName
    cost: CostName
    learning_rate: float
    batch_size: int | None
    epochs: int
    seed: int
    dtype: DtypeName
    threads: int
    dataset: DatasetName | None
    data_dir: Path | None
    limit: int | None
    classes: int | None = None

    def options(self) -> dict[str, Any]:
        """Give the recipe as a config: options and values, as far as set. ``train --config`` on it repeats the run."""
        options = {
            "hidden": format_hidden(self.hidden),
            "activation": self.activation,
            "cost": self.cost,
            "learning-rate": self.learning_rate,
            "batch-size": format_batch_size(self.batch_size),
            "epochs": self.epochs,
            "seed": self.seed,
            "dtype": self.dtype,
            "threads": self.threads,
            "dataset": self.dataset,
            "data-dir": None if self.data_dir is None else str(self.data_dir.resolve()),
            "limit": self.limit,
            "classes": self.classes,
        }
        return {name: value for name, value in options.items() if value is not None}


def default_learning_rate(activation: ActivationName, cost: CostName) -> float:
    """η where none is given: one that trains every width."""
    return _LEARNING_RATES[activation, cost]


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


def default_threads(hidden: tuple[int, ...]) -> int:
    """How many threads do the arithmetic fastest: one for small layers, every core for large ones."""
    return (os.cpu_count() or 1) if max(hidden, default=0) >= MANY_NEURONS else 1
