"""Networks for commands: a saved model with the metadata in its file, or a new network."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mnist_bp.core.choices import COSTS
from mnist_bp.data.choices import class_names, is_generated, is_like_mnist
from mnist_bp.errors import InputError
from mnist_bp.training.data_settings import DataSettings
from mnist_bp.training.learning_rates import default_learning_rate
from mnist_bp.training.notation import format_sizes

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset
    from mnist_bp.data.preprocess import Look
    from mnist_bp.network import Network
    from mnist_bp.storage.metadata import Metadata
    from mnist_bp.training.settings import Settings

__all__ = ["TrainedModel", "fresh_network", "initial_network", "load_model"]


class TrainedModel(NamedTuple):
    """A network from a file, the path of the file, and the metadata about its training."""

    network: "Network"
    path: Path
    meta: "Metadata"

    @property
    def description(self) -> str:
        """Description in one line."""
        network = self.network
        words = [format_sizes(network.sizes), network.activation, network.cost]
        if network.output_activation != COSTS[network.cost].output_activation:
            words.append(f"{network.output_activation} outputs")
        return f"{self.path}: {', '.join(words)}"

    @property
    def learning_rate(self) -> float:
        """Learning rate of its training, if the file records it; else the default for such a network."""
        rate = self.meta.config.get("learning-rate")
        if isinstance(rate, int | float) and 0 < rate <= sys.float_info.max:
            return float(rate)
        return default_learning_rate(self.network.activation, self.network.cost)

    @property
    def origin(self) -> DataSettings:
        """Settings of its training's dataset, if the file records them. Raise InputError if they are invalid."""
        try:
            recorded = DataSettings.from_config(self.meta.config)
        except InputError:
            raise InputError(f"{self.path} does not record its dataset: choose one with --dataset") from None
        # Older versions also recorded a folder in which they had not found MNIST.
        return replace(recorded, data_dir=None) if recorded.dataset and is_generated(recorded.dataset) else recorded

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, empty if they are digits. Files of older versions name only the dataset."""
        outputs = self.network.sizes[-1]
        names = self.meta.class_names or class_names(self.meta.dataset, outputs)
        return names if len(names) == outputs else ()

    @property
    def look(self) -> "Look":
        """Appearance of the images of its training."""
        from mnist_bp.data.preprocess import Look

        meta = self.meta
        return Look(meta.synthetic or is_like_mnist(meta.dataset), meta.dark_on_light, meta.invert)

    def fits(self, data: "Dataset") -> bool:
        """Return True if the network has an input for each pixel and an output for each class."""
        return (data.pixels, data.classes) == (self.network.sizes[0], self.network.sizes[-1])


def fresh_network(
    data: "Dataset",
    hidden: tuple[int, ...],
    activation: str,
    cost: str,
    *,
    seed: int,
    dtype: str = "float64",
    weight_init: str = "scaled",
) -> "Network":
    """Return a network with random weights, an input for each pixel and an output for each class of ``data``."""
    import numpy as np

    from mnist_bp.network import Network

    sizes = (data.pixels, *hidden, data.classes)
    rng = np.random.default_rng(seed)
    return Network(sizes, activation=activation, cost=cost, rng=rng, dtype=dtype, weight_init=weight_init)


def initial_network(data: "Dataset", settings: "Settings") -> "Network":
    """Return the network with which a training begins."""
    return fresh_network(
        data,
        settings.hidden,
        settings.activation,
        settings.cost,
        seed=settings.seed,
        dtype=settings.dtype,
        weight_init=settings.weight_init,
    )


def load_model(target: Path | None) -> TrainedModel:
    """Load the model of a run, or a model file. Without a target, load the model of the latest run."""
    from mnist_bp.network import load_network
    from mnist_bp.training.run_paths import find_model

    path = find_model(target)
    network, meta = load_network(path)
    return TrainedModel(network, path, meta)
