"""What is to be trained, on what: the same for every system that is compared."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset, load
from mnist_bp.errors import DataUnavailable
from mnist_bp.training.learning_rates import default_learning_rate

RATE_BATCH = 100
"""The batch size that mnist-bp's default learning rates are made for; smaller ones take shorter steps."""


@dataclass(frozen=True)
class Job:
    """A network and how it is trained. ``batch_size`` None means all examples, ``limit`` None all that there are."""

    hidden: tuple[int, ...]
    batch_size: int | None = RATE_BATCH
    activation: str = "sigmoid"
    cost: str = "squared-error"
    limit: int | None = None
    seed: int = 0

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        """Read what ``dataclasses.asdict`` and JSON made of one."""
        return replace(cls(**fields), hidden=tuple(fields["hidden"]))

    @property
    def learning_rate(self) -> float:
        """mnist-bp's default, scaled down for batches under 100."""
        rate = default_learning_rate(self.activation, self.cost)
        return rate if self.batch_size is None else rate * min(1, self.batch_size / RATE_BATCH)

    def network(self, data: Dataset) -> Network:
        """The network before training: every system starts from these weights."""
        sizes = [data.pixels, *self.hidden, data.classes]
        rng = np.random.default_rng(self.seed)
        return Network(sizes, activation=self.activation, cost=self.cost, rng=rng)


@dataclass(frozen=True)
class Source:
    """Which dataset, and where it lies."""

    name: Literal["mnist", "synthetic"]
    data_dir: Path | None

    def load(self) -> Dataset:
        """Read it from disk; the synthetic digits are drawn if they are not there."""
        return load(self.name, self.data_dir, fetch=False)

    def options(self) -> list[str]:
        """The options of ``mnist-bp train`` that choose it."""
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
