"""Load the dataset that a command names, or the one that its model or run was trained on, and show progress."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypedDict, Unpack

import typer

from mnist_bp.cli.config import config_in_use, first_explicit_option, is_config_of_a_run, is_from_config
from mnist_bp.data.choices import is_generated, published
from mnist_bp.data.names import CLASSES, OWN, SYNTHETIC, SplitName
from mnist_bp.errors import DataUnavailable, InputError
from mnist_bp.reports.console import Console
from mnist_bp.reports.data import SYNTHETIC_TOPIC
from mnist_bp.reports.progress import download_progress, drawing_progress
from mnist_bp.training.data_settings import DataSettings
from mnist_bp.training.settings import Settings

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset
    from mnist_bp.data.examples import Problem
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
    settings: DataSettings,
    console: Console,
    *,
    fetch: bool = True,
    named_in: str = "--data-dir",
    **limits: Unpack[Limits],
) -> "Dataset":
    """Load a dataset, download it if needed, and show progress: see ``datasets.load``."""
    from mnist_bp.data import datasets

    show = drawing_progress if settings.dataset and is_generated(settings.dataset) else download_progress
    with show(console) as progress:
        return datasets.load(
            settings.dataset,
            settings.data_dir,
            options=settings.data_options,
            fetch=fetch,
            progress=progress,
            notice=console.warn,
            named_in=named_in,
            **limits,
        )


def only(split: SplitName, examples: int | None = None) -> Limits:
    """Return limits that leave the first examples of one set, or all, and none of the other."""
    return {"limit": examples, "test_limit": 0} if split == "train" else {"limit": 0, "test_limit": examples}


def refuse_fallback(reason: str) -> NoReturn:
    """Raise DataUnavailable: an accuracy on fallback digits says nothing about MNIST."""
    raise DataUnavailable(f"{reason}; --min-accuracy requires MNIST, or --dataset synthetic")


def refuse_options_of_a_fresh_network(context: typer.Context) -> None:
    """Raise InputError if an option describes the network, which the model file does."""
    if option := first_explicit_option(context, ("hidden", "activation", "cost", "weight_init")):
        raise InputError(f"{option} describes a fresh network: leave it out, or leave out RUN or MODEL")


def trained_data(
    model: "TrainedModel", given: DataSettings, console: Console, *, fetch: bool = True, **limits: Unpack[Limits]
) -> "Dataset":
    """Return the given dataset, or the one that the model was trained on, if its sizes fit the network.

    Without ``given.dataset``, a setting that is not given has its value in the training. A ``data_dir`` alone names the
    folder in which that dataset is now.

    Raises
    ------
    DataUnavailable
        If it is not available.
    InputError
        If it does not fit the network.
    """
    named_in, settings = "--data-dir", given
    if given.dataset is None:
        settings = given.or_else(model.origin)
        if given.data_dir is None and settings.data_dir is not None:
            named_in, fetch = str(model.path), False  # a folder that a file names is only read
    settings = replace(settings, classes=settings.classes or model.network.sizes[-1])
    data = load_dataset(settings, console, fetch=fetch, named_in=named_in, **limits)
    if not model.fits(data):
        raise InputError(
            f"{data.name} has images of {data.pixels} pixels and {data.classes} classes; the network of {model.path} "
            f"takes {model.network.sizes[0]} inputs and has {model.network.sizes[-1]} outputs"
        )
    is_recorded = given.dataset is None and given.class_names is None and model.class_names
    return replace(data, names=model.class_names) if is_recorded else data


def data_at_hand(
    model: "TrainedModel | None", given: DataSettings, console: Console, **limits: Unpack[Limits]
) -> "Dataset":
    """Return a dataset from disk: the given one, else the one that the model was trained on, else MNIST.

    If it is not on disk, and neither a dataset nor a folder was named, synthetic digits are returned.
    """
    try:
        if model is not None:
            return trained_data(model, given, console, fetch=False, **limits)
        return load_dataset(given, console, fetch=False, **limits)
    except DataUnavailable as error:
        is_named = given.dataset is not None or given.data_dir is not None
        if is_named or (model is not None and model.origin.data_dir is not None):
            raise
        stand_in = load_dataset(DataSettings(dataset=SYNTHETIC), console, fetch=False, **limits)
        if model is None:
            return stand_in
        if not model.fits(stand_in):
            raise
        console.warn(f"SYNTHETIC digits are used instead of the training's dataset: {error}", topic=SYNTHETIC_TOPIC)
        return stand_in


def load_training_data(
    context: typer.Context, settings: Settings, console: Console, *, is_plan: bool = False, has_test: bool = True
) -> "tuple[Dataset, Settings]":
    """Load the data to train on, and return the settings that name them.

    They are synthetic digits if MNIST is not available, and if there is no dataset, no folder, no accuracy to reach,
    and no run to resume or repeat.

    For a plan, nothing is downloaded or written, and ``--limit`` is ignored: a dataset that is not on disk raises
    DataUnavailable, and of a generated one, a single example of each set is drawn. Without ``has_test``, the test set
    is left empty.
    """
    run, config = context.params.get("resume"), context.params["config"]
    is_of_a_run = run is not None or (config is not None and is_config_of_a_run(config))
    is_folder_from_config = is_from_config(context, "data_dir")
    if is_of_a_run and is_folder_from_config and settings.dataset and is_generated(settings.dataset):
        settings = replace(settings, data_dir=None)  # older versions recorded the folder in which they found no MNIST
    named_in = str(config_in_use(context)) if is_folder_from_config else "--data-dir"
    is_gate = context.params.get("min_accuracy") is not None
    how = {"is_plan": is_plan, "has_test": has_test}
    wanted = settings
    if is_of_a_run and settings.dataset == OWN and settings.classes is None:
        wanted = replace(settings, classes=CLASSES)  # older versions did not look for the number in the labels
    try:
        data = _load(wanted, console, named_in, **how)
    except DataUnavailable as error:
        if is_plan or settings.dataset is not None or settings.data_dir is not None or is_of_a_run:
            raise
        if is_gate:
            refuse_fallback(str(error))
        console.warn(
            f"MNIST is not available: {error.reason}. Training on synthetic digits instead.", topic=SYNTHETIC_TOPIC
        )
        data = replace(_load(replace(settings, dataset=SYNTHETIC), console, named_in, **how), is_fallback=True)
    if run is not None and _fell_back(run):
        if is_gate:
            refuse_fallback(f"{run} was trained on synthetic digits because MNIST was not available")
        data = replace(data, is_fallback=True)
    if not is_of_a_run and data.option == OWN:
        settings = replace(settings, classes=data.classes)
    data = replace(data, problems=_problems(data, settings))
    return data, replace(settings, dataset=data.option, data_dir=settings.data_dir or _folder_by_variable(data))


def _load(settings: Settings, console: Console, named_in: str, *, is_plan: bool, has_test: bool) -> "Dataset":
    is_sample = is_plan and settings.dataset is not None and is_generated(settings.dataset)
    limits: Limits = {"limit": 1, "test_limit": 1} if is_sample else {"limit": None if is_plan else settings.limit}
    if not has_test:
        limits = only("train", settings.limit)
    return load_dataset(settings, console, fetch=not is_plan, named_in=named_in, **limits)


def _problems(data: "Dataset", settings: Settings) -> "tuple[Problem, ...]":
    """Return the problems of a dataset. Those of published and of synthetic digits are known: none, unless inverted."""
    from mnist_bp.data.quality import find_problems

    is_known = data.option in published() or is_generated(data.option)
    return () if is_known and not settings.invert else find_problems(data, is_inverted=settings.invert)


def _folder_by_variable(data: "Dataset") -> Path | None:
    """Return the folder of the user's files if the environment names it: a complete config records it."""
    from mnist_bp.data.datasets import data_root

    return data_root(None) if data.option == OWN else None


def _fell_back(run: Path) -> bool:
    """Return True if a run started on synthetic digits because MNIST was not available."""
    from mnist_bp.network import load_network
    from mnist_bp.training.run_folder import RunFolder

    with suppress(InputError):  # no model yet, or a damaged one, which is written anew
        return load_network(RunFolder(run).model)[1].fallback
    return False
