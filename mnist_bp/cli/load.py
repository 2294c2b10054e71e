"""Loading for a command: the dataset it names, or the one that its model or run was trained on, with progress shown."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypedDict, Unpack

import typer

from mnist_bp.cli.config import config_in_use, first_explicit_option, is_config_of_a_run, is_from_config
from mnist_bp.data.choices import is_generated
from mnist_bp.data.names import OWN, SYNTHETIC, DatasetName, SplitName
from mnist_bp.errors import DataUnavailable, InputError
from mnist_bp.reports.console import Console
from mnist_bp.reports.progress import download_progress, drawing_progress
from mnist_bp.training.settings import Settings

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset
    from mnist_bp.training.saved_model import TrainedModel

__all__ = [
    "Limits",
    "data_at_hand",
    "load_dataset",
    "load_training_data",
    "only",
    "refuse_fallback",
    "refuse_options_of_a_fresh_network",
    "trained_data",
]


class Limits(TypedDict, total=False):
    """Numbers of training and of test examples that a command needs, see ``datasets.load``. Default: all."""

    limit: int | None
    test_limit: int | None


def load_dataset(
    name: DatasetName | None,
    data_dir: Path | None,
    console: Console,
    *,
    classes: int | None = None,
    fetch: bool = True,
    named_in: str = "--data-dir",
    **limits: Unpack[Limits],
) -> "Dataset":
    """Get a dataset, downloading it if need be, and show that: see ``datasets.load``."""
    from mnist_bp.data import datasets

    show = drawing_progress if name is not None and is_generated(name) else download_progress
    with show(console) as progress:
        return datasets.load(
            name,
            data_dir,
            classes=classes,
            fetch=fetch,
            progress=progress,
            notice=lambda text: console.print(text, style="yellow"),
            named_in=named_in,
            **limits,
        )


def only(split: SplitName, examples: int | None = None) -> Limits:
    """Return limits that leave the first examples of one set, or all, and none of the other."""
    return {"limit": examples, "test_limit": 0} if split == "train" else {"limit": 0, "test_limit": examples}


def refuse_fallback(reason: str) -> NoReturn:
    """DataUnavailable: an accuracy on synthetic digits that nobody asked for says nothing about MNIST."""
    raise DataUnavailable(f"{reason}; --min-accuracy requires MNIST, or --dataset synthetic")


def refuse_options_of_a_fresh_network(context: typer.Context) -> None:
    """InputError if an option describes the network, where a file does that already."""
    if option := first_explicit_option(context, ("hidden", "activation", "cost")):
        raise InputError(f"{option} describes a fresh network; the model file tells its own")


def trained_data(
    model: "TrainedModel",
    name: DatasetName | None,
    data_dir: Path | None,
    console: Console,
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
        name, trained_in = model.origin
        if data_dir is None and trained_in is not None:
            data_dir, named_in = trained_in, str(model.path)
            fetch = False  # a folder that a file names is only read
    data = load_dataset(
        name, data_dir, console, classes=model.network.sizes[-1], fetch=fetch, named_in=named_in, **limits
    )
    if not model.fits(data):
        raise InputError(
            f"{data.name} has images of {data.pixels} pixels and {data.classes} classes; the network of {model.path} "
            f"takes {model.network.sizes[0]} inputs and has {model.network.sizes[-1]} outputs"
        )
    return data


def data_at_hand(
    model: "TrainedModel | None",
    name: DatasetName | None,
    data_dir: Path | None,
    console: Console,
    *,
    classes: int | None = None,
    **limits: Unpack[Limits],
) -> "Dataset":
    """A dataset from disk; where there is none and nobody named any dataset or folder, synthetic digits.

    The one that is asked for, else the one that the model was trained on, else MNIST.
    """
    try:
        if model is not None:
            return trained_data(model, name, data_dir, console, fetch=False, **limits)
        return load_dataset(name, data_dir, console, classes=classes, fetch=False, **limits)
    except DataUnavailable as error:
        if name is not None or data_dir is not None or (model is not None and model.origin[1] is not None):
            raise
        stand_in = load_dataset(SYNTHETIC, None, console, fetch=False, **limits)
        if model is None:
            return stand_in
        if not model.fits(stand_in):
            raise
        console.print(f"Synthetic digits stand in for what it was trained on: {error}", style="yellow")
        return stand_in


def load_training_data(context: typer.Context, settings: Settings, console: Console) -> "tuple[Dataset, Settings]":
    """Load the data to train on, and return the settings that name them.

    They may be synthetic digits only if MNIST is not available and nothing calls for other data: no dataset, no folder,
    no accuracy to reach, no run to resume or repeat.
    """
    run, config = context.params["resume"], context.params["config"]
    is_of_a_run = run is not None or (config is not None and is_config_of_a_run(config))
    is_folder_from_config = is_from_config(context, "data_dir")
    if is_of_a_run and is_folder_from_config and settings.dataset and is_generated(settings.dataset):
        settings = replace(settings, data_dir=None)  # older versions recorded the folder in which they found no MNIST
    named_in = str(config_in_use(context)) if is_folder_from_config else "--data-dir"
    is_gate = context.params["min_accuracy"] is not None
    try:
        data = _load(settings, console, named_in)
    except DataUnavailable as error:
        if settings.dataset is not None or settings.data_dir is not None or is_of_a_run:
            raise
        if is_gate:
            refuse_fallback(str(error))
        console.print(f"MNIST is not available: {error}. Training on synthetic digits instead.", style="yellow")
        data = replace(_load(replace(settings, dataset=SYNTHETIC), console, named_in), is_fallback=True)
    if run is not None and _fell_back(run):
        if is_gate:
            refuse_fallback(f"{run} was trained on synthetic digits because MNIST was not available")
        data = replace(data, is_fallback=True)
    return data, replace(settings, dataset=data.option, data_dir=settings.data_dir or _folder_by_variable(data))


def _load(settings: Settings, console: Console, named_in: str) -> "Dataset":
    return load_dataset(
        settings.dataset, settings.data_dir, console, classes=settings.classes, limit=settings.limit, named_in=named_in
    )


def _folder_by_variable(data: "Dataset") -> Path | None:
    """Return the folder of the user's files, if the environment named it: a config names it too, to be complete."""
    from mnist_bp.data.datasets import data_root

    return data_root(None) if data.option == OWN else None


def _fell_back(run: Path) -> bool:
    """Return whether a run was begun on synthetic digits because MNIST was not available."""
    from mnist_bp.network import load_network
    from mnist_bp.training.run_folder import RunFolder

    with suppress(InputError):  # no model yet, or a damaged one, which is written anew
        _, meta = load_network(RunFolder(run).model)
        return meta.get("fallback") is True
    return False
