"""Jobs (networks and their training) and data sources, equal for all systems that are compared."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset, load
from mnist_bp.errors import DataUnavailable
from mnist_bp.training.learning_rates import default_learning_rate

RATE_BATCH = 100
"""Batch size of mnist-bp's default learning rates. Smaller batches use smaller rates."""


@dataclass(frozen=True)
class Job:
    """A network and its training. ``batch_size=None`` and ``limit=None`` mean all examples."""

    hidden: tuple[int, ...]
    batch_size: int | None = RATE_BATCH
    activation: str = "sigmoid"
    cost: str = "squared-error"
    limit: int | None = None
    seed: int = 0

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        """Return the job from the result of ``dataclasses.asdict`` after a JSON round trip."""
        return replace(cls(**fields), hidden=tuple(fields["hidden"]))

    @property
    def learning_rate(self) -> float:
        """Default learning rate of mnist-bp, scaled down for batch sizes below 100."""
        rate = default_learning_rate(self.activation, self.cost)
        return rate if self.batch_size is None else rate * min(1, self.batch_size / RATE_BATCH)

    def network(self, data: Dataset) -> Network:
        """Return the network with the initial weights of all systems."""
        sizes = [data.pixels, *self.hidden, data.classes]
        rng = np.random.default_rng(self.seed)
        return Network(sizes, activation=self.activation, cost=self.cost, rng=rng)


@dataclass(frozen=True)
class Source:
    """A dataset and its folder."""

    name: Literal["mnist", "synthetic"]
    data_dir: Path | None

    def load(self) -> Dataset:
        """Read the dataset from disk. Synthetic digits are drawn if they are missing."""
        return load(self.name, self.data_dir, fetch=False)

    def options(self) -> list[str]:
        """Return the options of ``mnist-bp train`` that choose the dataset."""
        return ["--dataset", self.name, *(["--data-dir", str(self.data_dir)] if self.data_dir else [])]


def find_data(data_dir: Path | None) -> tuple[Source, Dataset]:
    """Find MNIST, or, if no folder is given, fall back to the synthetic digits."""
    source = Source("mnist", data_dir)
    try:
        return source, source.load()
    except DataUnavailable:
        if data_dir is not None:
            raise
        source = Source("synthetic", None)
        return source, source.load()
