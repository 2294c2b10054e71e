"""``mnist-bp train --dry-run``: the resolved settings, and estimates of memory and time, without a training."""

from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mnist_bp.cli.load import load_training_data
from mnist_bp.data.choices import generated, is_generated, published
from mnist_bp.data.names import CLASSES, DEFAULT
from mnist_bp.errors import DataUnavailable
from mnist_bp.reports.console import Console
from mnist_bp.reports.dry_run import Source, print_dry_run
from mnist_bp.training.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from mnist_bp.training.plan import DataPlan

__all__ = ["dry_run"]

IMAGES_HEADER, LABELS_HEADER = 16, 8
"""Bytes before the images and before the labels of an IDX file."""

SOURCES: dict[str | None, Source] = {"COMMANDLINE": "option", "DEFAULT_MAP": "config"}
"""Origins of a value by the names of Typer's parameter sources. All others are defaults."""


def dry_run(
    context: typer.Context, settings: Settings, seeds: int | None, resume: Path | None, console: Console
) -> None:
    """Print what ``train`` would do. Nothing is trained, written or downloaded.

    Raises
    ------
    MnistBpError
        If ``train`` would refuse the settings or the data.
    """
    from threadpoolctl import threadpool_limits

    from mnist_bp.machine import available_memory, resident_memory
    from mnist_bp.training import plan
    from mnist_bp.training.threads import parallel_trainings

    program = resident_memory()
    data, settings = _plan_data(context, settings, console)
    parallel = 1 if seeds is None else min(seeds, parallel_trainings(settings.threads))
    memory = {"program": program, **plan.estimate_memory(settings, data)}
    needed, available = sum(size or 0 for size in memory.values()), available_memory()
    durations = None
    if available is None or needed < available:
        with threadpool_limits(settings.threads):
            durations = plan.measure_durations(settings, data)
    sources = {name: SOURCES.get(_source(context, name), "default") for name in SETTINGS}
    print_dry_run(
        settings,
        sources,
        data,
        memory,
        durations,
        console,
        seeds=seeds,
        parallel=parallel,
        finished=0 if resume is None else _finished_epochs(resume),
    )


def _source(context: typer.Context, name: str) -> str | None:
    source = context.get_parameter_source(name)
    return None if source is None else source.name


def _finished_epochs(run: Path) -> int:
    """Return the number of epochs that a resumed run has had."""
    from mnist_bp.training.checkpoint import read_progress
    from mnist_bp.training.run_folder import RunFolder

    path = RunFolder(run).checkpoint
    return int(read_progress(path).arrays["epoch"]) if path.is_file() else 0


def _plan_data(context: typer.Context, settings: Settings, console: Console) -> "tuple[DataPlan, Settings]":
    """Return the sizes of the dataset, from disk, or, if it would be downloaded or drawn, from its declaration."""
    from mnist_bp.training.plan import DataPlan

    missing = ""
    try:
        data, settings = load_training_data(context, settings, console, is_plan=True)
        name, shape, classes = data.name, data.train.images.shape[1:], data.classes
        stored, test = len(data.train), len(data.test)
        if settings.dataset is not None and is_generated(settings.dataset):
            entry = generated()[settings.dataset]
            stored, test = entry.examples["train"], entry.examples["test"]
    except DataUnavailable as error:
        name = settings.dataset or DEFAULT
        if name not in published():
            raise
        missing, classes = error.reason, CLASSES
        stored, test, shape = _published_sizes(name)
    train, validation = min(settings.limit or stored, stored), settings.validation or 0
    _require_training_examples(train, settings)
    rows, columns = shape
    return DataPlan(name, stored, train - validation, validation, test, (rows, columns), classes, missing), settings


def _published_sizes(name: str) -> tuple[int, int, tuple[int, int]]:
    """Return the numbers of training and test examples of a published dataset, and the shape of its square images."""
    images, labels, _, test_labels = (file.size for file in published()[name].files)
    train, test = labels - LABELS_HEADER, test_labels - LABELS_HEADER
    side = isqrt((images - IMAGES_HEADER) // train)
    return train, test, (side, side)


def _require_training_examples(examples: int, settings: Settings) -> None:
    """Raise the InputError of ``train`` if the validation set leaves no training example."""
    if settings.validation is not None:
        import numpy as np

        from mnist_bp.data.datasets import Examples, stratified_split

        labels = np.zeros(examples, np.uint8)
        stratified_split(Examples(labels.reshape(-1, 1, 1), labels), settings.validation, seed=0)
