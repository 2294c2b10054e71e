"""Figures of a training and of an evaluation, and their files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_bp.data.choices import is_generated
from mnist_bp.data.names import SplitName
from mnist_bp.errors import InputError, StorageError
from mnist_bp.reports.console import Console, printable
from mnist_bp.reports.data import describe_data
from mnist_bp.reports.plot_formats import DEFAULT_FORMAT, PLOT_FORMATS
from mnist_bp.shell import install_command
from mnist_bp.storage.atomic import storing
from mnist_bp.training.metrics import percent
from mnist_bp.training.notation import count, format_sizes

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset
    from mnist_bp.network import Network
    from mnist_bp.reports.chart import Points
    from mnist_bp.reports.figures.picture import Picture
    from mnist_bp.training.evaluation import Evaluation
    from mnist_bp.training.run import TrainingRun
    from mnist_bp.training.run_summary import RunSummary
    from mnist_bp.training.trained_committee import TrainedCommittee

__all__ = [
    "MISTAKES",
    "check_plot",
    "check_plot_file",
    "plot_comparison",
    "plot_evaluation",
    "plot_search",
    "plot_training",
    "plots_record",
    "print_plots",
]

MISTAKES = 24
"""Largest number of misclassified examples in a figure."""

LONGEST_NAME = 40
"""Largest number of characters of a dataset's name, which may be the name of any folder, in a figure."""


def check_plot(plot: bool, plot_format: str, folder: Path | None = None) -> None:  # noqa: FBT001 - the values of the options
    """Raise InputError if figures are requested that cannot be drawn. Call it before anything that takes time."""
    if not plot:
        if plot_format != DEFAULT_FORMAT:
            raise InputError("--plot-format requires --plot")
        if folder is not None:
            raise InputError("--output requires --plot")
        return
    if folder is not None and folder.exists() and not folder.is_dir():
        raise InputError(f"--output {folder} is a file; expected a folder for the figures")
    _require_matplotlib()


def check_plot_file(path: Path) -> None:
    """Raise InputError if a figure cannot be drawn into this file."""
    if path.suffix[1:] not in PLOT_FORMATS:
        formats = " or ".join(f".{name}" for name in PLOT_FORMATS)
        raise InputError(f"--plot {path}: expected a file that ends in {formats}")
    if path.is_dir():
        raise InputError(f"--plot {path} is a folder; expected a file")
    _require_matplotlib()


def _require_matplotlib() -> None:
    """Raise InputError if matplotlib cannot be imported."""
    import logging
    import os

    # Jupyter sets a backend that may not be installed, and the import fails then. Files need no other backend.
    os.environ["MPLBACKEND"] = "agg"
    # Its messages (about the folder of its cache, for example) are for programmers.
    logging.getLogger("matplotlib").setLevel(logging.CRITICAL)
    try:
        import mnist_bp.reports.figures.picture  # noqa: F401 - it imports matplotlib
    except ImportError as error:
        raise InputError(f"--plot requires matplotlib; to install it: {install_command('plot')}") from error
    except Exception as error:  # an invalid setting of the user, for example in the environment
        raise InputError(f"--plot requires matplotlib, which cannot be imported: {error}") from error


def plot_training(run: "TrainingRun", plot_format: str) -> list[Path]:
    """Draw all epochs of a run, and its network, into the run folder. Return the files.

    Raises
    ------
    InputError
        If the history of the run is not valid.
    StorageError
        If a figure cannot be written.
    """
    from threadpoolctl import threadpool_limits

    from mnist_bp.reports.figures.curves import gradient_norms, learning_curves
    from mnist_bp.reports.figures.picture import Head
    from mnist_bp.training.evaluation import evaluate

    trainer, data, settings = run.trainer, run.data, run.settings
    network = trainer.saved_network
    called = _called(data.name, is_synthetic=data.is_synthetic)
    best = trainer.saved_epoch if settings.keep == "best" else None
    trained = _trained(network, called, _after(trainer.saved_epoch, settings.keep, settings.epochs), settings.seed)
    head = Head(trained, describe_data(replace(data, name=called), len(data.train), settings.validation))
    epochs = run.run.read_history()
    if not epochs:  # lost in a power failure
        raise InputError(f"{run.run.folder} has no history to draw")
    pictures = {
        "learning-curves": learning_curves(epochs, head, best),
        "gradient-norms": gradient_norms(epochs, head, best),
    }
    with threadpool_limits(settings.threads):
        result = evaluate(network, data.test.rows, data.test.labels, mistakes=MISTAKES)
    pictures |= _pictures(network, data, "test", result, trained)
    return _save(pictures, run.run.folder, plot_format)


def plot_evaluation(
    models: "TrainedCommittee",
    data: "Dataset",
    split: SplitName,
    result: "Evaluation",
    plot_format: str,
    folder: Path | None,
) -> list[Path]:
    """Draw a network, and ``result`` of a set of examples, into ``folder`` or beside the model. Return the files.

    The weights of a committee are not drawn.

    Raises
    ------
    StorageError
        If a figure cannot be written.
    """
    model = models.source
    meta = model.meta
    called = "unknown data" if meta.dataset is None else _called(meta.dataset, is_synthetic=meta.synthetic)
    if models.is_several:
        trained = f"committee of {len(models.members)} networks; trained on {called}"
        pictures = _evaluation_pictures(data, split, result, trained)
    else:
        trained = _trained(model.network, called, _after(meta.epochs, meta.kept), meta.config.get("seed"))
        pictures = _pictures(model.network, data, split, result, trained)
    try:
        return _save(pictures, folder or model.path.parent, plot_format)
    except StorageError as error:
        if folder is not None:
            raise
        raise StorageError(f"{error}; --output DIR writes the figures to another folder") from error


def plot_comparison(runs: "Sequence[RunSummary]", curves: "Sequence[Points]", path: Path) -> None:
    """Draw the cost curves of runs into a file. A run without a finished epoch has no curve.

    Raises
    ------
    InputError
        If no run has a curve.
    StorageError
        If the figure cannot be written.
    """
    from mnist_bp.reports.figures.curves import Curve, compared_costs
    from mnist_bp.reports.figures.picture import Head, save

    drawn = [
        Curve(printable(run.name or run.folder.name), [cost for _, cost in points], [epoch for epoch, _ in points])
        for run, points in zip(runs, curves, strict=True)
        if points
    ]
    if not drawn:
        raise InputError("--plot: none of the runs has a finished epoch to draw")
    data = ", ".join(
        dict.fromkeys(_called(run.dataset or "unknown data", is_synthetic=_is_synthetic(run)) for run in runs)
    )
    save(compared_costs(drawn, Head(count(len(drawn), "run"), f"trained on {data}")), path, follow=True)


def plot_search(
    records: "Sequence[Mapping[str, Any]]",
    importances: "Mapping[str, float] | None",
    scales: "Mapping[str, str]",
    data: "Dataset",
    folder: Path,
    plot_format: str,
) -> list[Path]:
    """Draw a search into its folder: see ``figures.search``. Return the files; none if no trial is complete.

    Raises
    ------
    StorageError
        If a figure cannot be written.
    """
    from mnist_bp.reports.figures.picture import Head
    from mnist_bp.reports.figures.search import accuracy_by_setting, best_so_far, importance

    complete = [each for each in records if each["state"] == "complete"]
    if not complete:
        return []
    trials = f"{count(len(records), 'trial')}, {len(complete)} complete"
    head = Head(trials, f"validation accuracy on {_called(data.name, is_synthetic=data.is_synthetic)}")
    pictures = {"best-so-far": best_so_far(complete, head), "settings": accuracy_by_setting(complete, scales, head)}
    if importances is not None:
        pictures["importances"] = importance(importances, head)
    return _save(pictures, folder, plot_format)


def _is_synthetic(run: "RunSummary") -> bool:
    return run.dataset is not None and is_generated(run.dataset)


def plots_record(paths: list[Path] | None) -> dict[str, list[str]]:
    """Return the key of a JSON record for the files; nothing if no figures were requested."""
    return {} if paths is None else {"plots": list(map(str, paths))}


def print_plots(paths: list[Path], console: Console) -> None:
    """Print the files of the figures."""
    console.print(f"plots    {', '.join(map(str, paths))}")


def _pictures(
    network: "Network", data: "Dataset", split: SplitName, result: "Evaluation", trained: str
) -> "dict[str, Picture]":
    """Return the figures of a network and of an evaluation, by name of the file."""
    from mnist_bp.reports.figures.images import first_layer_weights

    names = None if len(network.sizes) > 2 else _class_names(data)
    rows, columns = data.split(split).images.shape[1:]
    weights = first_layer_weights(network.weights[0], (rows, columns), trained, outputs=names)
    return {"first-layer-weights": weights, **_evaluation_pictures(data, split, result, trained)}


def _evaluation_pictures(data: "Dataset", split: SplitName, result: "Evaluation", trained: str) -> "dict[str, Picture]":
    """Return the figures of an evaluation, by name of the file."""
    from mnist_bp.reports.figures.confusion import confusion_matrix
    from mnist_bp.reports.figures.images import Answer, mistakes
    from mnist_bp.reports.figures.picture import Head

    examples = data.split(split)
    names = _class_names(data)
    worst = [
        Answer(examples.images[example], example, names[label], names[answer], output)
        for example, label, answer, output in result.mistakes[:MISTAKES]
    ]
    called = _called(data.name, is_synthetic=data.is_synthetic)
    head = Head(trained, f"{called}, {split} set: {len(examples):,} examples, accuracy {percent(result.accuracy)}")
    return {
        "confusion": confusion_matrix(result.confusion, head, data.class_names),
        "mistakes": mistakes(worst, result.examples - int(result.confusion.trace()), head),
    }


def _class_names(data: "Dataset") -> tuple[str, ...]:
    return data.class_names or tuple(map(str, range(data.classes)))


def _save(pictures: "Mapping[str, Picture]", folder: Path, plot_format: str) -> list[Path]:
    from mnist_bp.reports.figures.picture import save

    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, picture in pictures.items():
        paths.append(folder / f"{name}.{plot_format}")
        save(picture, paths[-1])
    return paths


def _after(epoch: int | None, kept: str, planned: int | None = None) -> str:
    """Return a description of the epoch after which the network was saved; "" if it is unknown."""
    if epoch is None:
        return ""
    if kept == "best":
        return f"epoch {epoch:,}, the best on the validation set"
    of_all = f" of {planned:,}" if planned is not None and planned != epoch else ""
    return f"{epoch:,}{of_all} epoch{'' if (planned or epoch) == 1 else 's'}"


def _trained(network: "Network", called: str, after: str, seed: Any) -> str:
    """Return a description of a network and its training in one line. Missing parts of a model file are left out."""
    parts = [
        f"{format_sizes(network.sizes)}, {network.activation}, {network.cost}; trained on {called}",
        after,
        f"seed {seed}" if type(seed) is int else "",
    ]
    return ", ".join(filter(None, parts))


def _called(name: str, *, is_synthetic: bool) -> str:
    """Return the name of a dataset, cut and without control characters, and marked if the digits are synthetic."""
    short = printable(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…")
    return f"{short} (SYNTHETIC digits, drawn by a program)" if is_synthetic else short
