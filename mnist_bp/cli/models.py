"""The network that a command is about, trained or fresh, and the data that go with it."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Unpack

import typer

from mnist_bp.cli.config import option_given
from mnist_bp.cli.data import Limits, load_dataset
from mnist_bp.cli.output import Output
from mnist_bp.data.names import DATASETS, SYNTHETIC, DatasetName
from mnist_bp.environment import user_path
from mnist_bp.errors import DataUnavailable, InputError
from mnist_bp.training.learning_rates import default_learning_rate
from mnist_bp.training.notation import format_sizes

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset
    from mnist_bp.network import Network

__all__ = [
    "Model",
    "TrainedModel",
    "data_at_hand",
    "fresh_network",
    "load_model",
    "refuse_what_describes_a_fresh_network",
    "trained_data",
]

Model = Annotated[
    Path | None,
    typer.Argument(
        parser=user_path,
        metavar="[RUN|MODEL]",
        help="Folder or file of a run, runs/latest, or a model.npz.",
        show_default=False,
    ),
]


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


def fresh_network(
    data: "Dataset",
    hidden: tuple[int, ...],
    activation: str,
    cost: str,
    *,
    seed: int,
    dtype: str = "float64",
) -> "Network":
    """A network that has learned nothing yet, with inputs and outputs for ``data``."""
    import numpy as np

    from mnist_bp.network import Network

    sizes = (data.pixels, *hidden, data.classes)
    return Network(sizes, activation=activation, cost=cost, rng=np.random.default_rng(seed), dtype=dtype)


def refuse_what_describes_a_fresh_network(context: typer.Context) -> None:
    """InputError if an option describes the network, where a file does that already."""
    if option := option_given(context, ("hidden", "activation", "cost")):
        raise InputError(f"{option} describes a fresh network; the model file tells its own")


def load_model(target: Path | None) -> TrainedModel:
    """Load the model of a run, or a model file; without a target, the latest run's."""
    from mnist_bp.network import load_network
    from mnist_bp.training.run_paths import find_model

    path = find_model(target)
    network, meta = load_network(path)
    return TrainedModel(network, path, meta)


def trained_data(
    model: TrainedModel,
    name: DatasetName | None,
    data_dir: Path | None,
    voice: Output,
    *,
    fetch: bool = True,
    **limits: Unpack[Limits],
) -> "Dataset":
    """The dataset that is asked for, else the one that the model was trained on; its sizes fit the network.

    A ``data_dir`` alone says where that dataset lies now.

    Raises
    ------
    DataUnavailable
        If it is not to be had.
    InputError
        If it does not fit the network.
    """
    named_in = "--data-dir"
    if name is None:
        name, trained_in = _origin(model)
        if data_dir is None and trained_in is not None:
            data_dir, named_in = trained_in, str(model.path)
            fetch = False  # a folder that a file names is only read
    data = load_dataset(
        name, data_dir, voice, classes=model.network.sizes[-1], fetch=fetch, named_in=named_in, **limits
    )
    if not _fit(model, data):
        raise InputError(
            f"{data.name} has images of {data.pixels} pixels and {data.classes} classes; the network of {model.path} "
            f"takes {model.network.sizes[0]} inputs and has {model.network.sizes[-1]} outputs"
        )
    return data


def _fit(model: TrainedModel, data: "Dataset") -> bool:
    """Whether the network has an input for each pixel and an output for each class."""
    return (data.pixels, data.classes) == (model.network.sizes[0], model.network.sizes[-1])


def _origin(model: TrainedModel) -> tuple[DatasetName | None, Path | None]:
    """The dataset and the data folder of a model's training, as far as its file tells."""
    config = model.meta.get("config", {})
    name, folder = (config.get("dataset"), config.get("data-dir")) if isinstance(config, dict) else (config, None)
    if name in [None, *DATASETS] and isinstance(folder, str | None):
        # Older versions recorded also the folder in which they had found no MNIST.
        with suppress(InputError):
            return name, None if folder is None or name == SYNTHETIC else user_path(folder)
    raise InputError(f"{model.path} does not tell what it was trained on: name a --dataset")


def data_at_hand(
    model: TrainedModel | None,
    name: DatasetName | None,
    data_dir: Path | None,
    voice: Output,
    *,
    classes: int | None = None,
    **limits: Unpack[Limits],
) -> "Dataset":
    """A dataset from disk; where there is none and nobody named any dataset or folder, synthetic digits.

    The one that is asked for, else the one that the model was trained on, else MNIST.
    """
    try:
        if model is not None:
            return trained_data(model, name, data_dir, voice, fetch=False, **limits)
        return load_dataset(name, data_dir, voice, classes=classes, fetch=False, **limits)
    except DataUnavailable as error:
        if name is not None or data_dir is not None or (model is not None and _origin(model)[1] is not None):
            raise
        stand_in = load_dataset(SYNTHETIC, None, voice, fetch=False, **limits)
        if model is None:
            return stand_in
        if not _fit(model, stand_in):
            raise
        voice.say(f"Synthetic digits stand in for what it was trained on: {error}", style="yellow")
        return stand_in
