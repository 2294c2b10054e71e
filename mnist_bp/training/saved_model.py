"""Networks that a command is about: a saved model with what its file records, or a fresh network."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mnist_bp.data.choices import DATASETS, is_generated
from mnist_bp.data.names import DatasetName
from mnist_bp.environment import user_path
from mnist_bp.errors import InputError
from mnist_bp.training.learning_rates import default_learning_rate
from mnist_bp.training.notation import format_sizes

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset
    from mnist_bp.network import Network

__all__ = ["TrainedModel", "fresh_network", "load_model"]


class TrainedModel(NamedTuple):
    """A network from a file, where it lies, and what the file tells of its training."""

    network: "Network"
    path: Path
    meta: dict[str, Any]

    @property
    def description(self) -> str:
        """One line for people."""
        network = self.network
        return f"{self.path}: {format_sizes(network.sizes)}, {network.activation}, {network.cost}"

    @property
    def learning_rate(self) -> float:
        """η of its training, as far as the file tells; else the default for such a network."""
        config = self.meta.get("config")
        rate = config.get("learning-rate") if isinstance(config, dict) else None
        if isinstance(rate, int | float) and 0 < rate <= sys.float_info.max:
            return float(rate)
        return default_learning_rate(self.network.activation, self.network.cost)

    @property
    def origin(self) -> tuple[DatasetName | None, Path | None]:
        """Dataset and data folder of its training, if the file records them; InputError if that makes no sense."""
        config = self.meta.get("config", {})
        name, folder = (config.get("dataset"), config.get("data-dir")) if isinstance(config, dict) else (config, None)
        if name in [None, *DATASETS] and isinstance(folder, str | None):
            # Older versions recorded also the folder in which they had found no MNIST.
            with suppress(InputError):
                return name, None if folder is None or (name and is_generated(name)) else user_path(folder)
        raise InputError(f"{self.path} does not tell what it was trained on: name a --dataset")

    def fits(self, data: "Dataset") -> bool:
        """Return whether the network has an input for each pixel and an output for each class."""
        return (data.pixels, data.classes) == (self.network.sizes[0], self.network.sizes[-1])


def fresh_network(
    data: "Dataset",
    hidden: tuple[int, ...],
    activation: str,
    cost: str,
    *,
    seed: int,
    dtype: str = "float64",
) -> "Network":
    """Return a network with random weights, an input for each pixel and an output for each class of ``data``."""
    import numpy as np

    from mnist_bp.network import Network

    sizes = (data.pixels, *hidden, data.classes)
    return Network(sizes, activation=activation, cost=cost, rng=np.random.default_rng(seed), dtype=dtype)


def load_model(target: Path | None) -> TrainedModel:
    """Load the model of a run, or a model file; without a target, the latest run's."""
    from mnist_bp.network import load_network
    from mnist_bp.training.run_paths import find_model

    path = find_model(target)
    network, meta = load_network(path)
    return TrainedModel(network, path, meta)
