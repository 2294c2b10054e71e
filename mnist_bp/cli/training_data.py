"""Data of a training: those that are asked for, or, where nothing forbids it, synthetic digits in place of MNIST."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mnist_bp.cli.config import config_in_use, is_config_of_a_run, is_from_config
from mnist_bp.cli.data import load_dataset, refuse_fallback
from mnist_bp.cli.output import Output
from mnist_bp.data.names import OWN, SYNTHETIC
from mnist_bp.errors import DataUnavailable, InputError
from mnist_bp.training.settings import Settings

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset

__all__ = ["load_training_data"]


def load_training_data(context: typer.Context, settings: Settings, voice: Output) -> "tuple[Dataset, Settings]":
    """Load the data to train on, and return the settings that name them.

    They may be synthetic digits only if MNIST is not available and nothing calls for other data: no dataset, no folder,
    no accuracy to reach, no run to resume or repeat.
    """
    run, config = context.params["resume"], context.params["config"]
    is_of_a_run = run is not None or (config is not None and is_config_of_a_run(config))
    is_folder_from_config = is_from_config(context, "data_dir")
    if is_of_a_run and is_folder_from_config and settings.dataset == SYNTHETIC:
        settings = replace(settings, data_dir=None)  # older versions recorded the folder in which they found no MNIST
    named_in = str(config_in_use(context)) if is_folder_from_config else "--data-dir"
    is_gate = context.params["min_accuracy"] is not None
    try:
        data = _load(settings, voice, named_in)
    except DataUnavailable as error:
        if settings.dataset is not None or settings.data_dir is not None or is_of_a_run:
            raise
        if is_gate:
            refuse_fallback(str(error))
        voice.say(f"MNIST is not available: {error}. Training on synthetic digits instead.", style="yellow")
        data = replace(_load(replace(settings, dataset=SYNTHETIC), voice, named_in), is_fallback=True)
    if run is not None and _fell_back(run):
        if is_gate:
            refuse_fallback(f"{run} was trained on synthetic digits because MNIST was not available")
        data = replace(data, is_fallback=True)
    return data, replace(settings, dataset=data.option, data_dir=settings.data_dir or _folder_by_variable(data))


def _load(settings: Settings, voice: Output, named_in: str) -> "Dataset":
    return load_dataset(
        settings.dataset, settings.data_dir, voice, classes=settings.classes, limit=settings.limit, named_in=named_in
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
