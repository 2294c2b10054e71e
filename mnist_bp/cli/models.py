"""A trained network for a command, and the data that go with it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from mnist_bp.cli.data import load_dataset
from mnist_bp.cli.output import Output
from mnist_bp.data.names import SYNTHETIC, DatasetName
from mnist_bp.errors import DataUnavailable, InputError

if TYPE_CHECKING:
    from mnist_bp.core.network import Network
    from mnist_bp.data.datasets import Dataset, Examples

__all__ = ["Model", "TrainedModel", "examples_for", "load_model", "trained_data"]

Model = Annotated[
    Path | None,
    typer.Argument(metavar="[RUN|MODEL]", help="Folder of a run, or a model.npz.", show_default=False),
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
        return f"{self.path}: {'-'.join(map(str, network.sizes))}, {network.activation}, {network.cost}"


def load_model(target: Path | None) -> TrainedModel:
    """Load the model of a run, or a model file; without a target, the latest run's."""
    from mnist_bp.core import model_file
    from mnist_bp.training.runs import find_model

    path = find_model(target)
    network, meta = model_file.load(path)
    return TrainedModel(network, path, meta)


def trained_data(
    model: TrainedModel, name: DatasetName | None, data_dir: Path | None, voice: Output, *, fetch: bool = True
) -> "Dataset":
    """The dataset that is asked for, else the one that the model was trained on; its sizes fit the network.

    A ``data_dir`` alone says where that dataset lies now.
    """
    config = model.meta.get("config", {})
    if name is None and data_dir is None and "data-dir" in config:
        data_dir = Path(config["data-dir"])
    data = load_dataset(name or config.get("dataset"), data_dir, voice, fetch=fetch)
    n_in, n_out = model.network.sizes[0], model.network.sizes[-1]
    if (data.pixels, data.classes) != (n_in, n_out):
        raise InputError(
            f"{data.name} has images of {data.pixels} pixels and {data.classes} classes; "
            f"the network of {model.path} takes {n_in} inputs and has {n_out} outputs"
        )
    return data


def examples_for(
    model: TrainedModel | None, name: DatasetName | None, data_dir: Path | None, voice: Output, count: int
) -> "Examples":
    """A few training examples, from disk; where there are none and nobody named any, synthetic digits."""
    from mnist_bp.data import datasets

    try:
        if model is not None:
            data = trained_data(model, name, data_dir, voice, fetch=False)
        else:
            data = load_dataset(name, data_dir, voice, fetch=False)
    except DataUnavailable:
        if name not in {None, SYNTHETIC}:
            raise
        voice.say(f"examples  {count} synthetic digits (no dataset on disk)")
        return datasets.synthetic_examples(count, split="train")
    voice.say(f"examples  the first {min(count, len(data.train))} of {data.name}'s training set")
    return data.train.first(count)
