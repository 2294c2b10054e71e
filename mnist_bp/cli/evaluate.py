"""``mnist-bp evaluate``."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnist_bp.cli.declared import whole_number
from mnist_bp.cli.load import only, refuse_fallback, trained_data
from mnist_bp.cli.options import (
    Epsilon,
    Json,
    MinAccuracy,
    Model,
    Plot,
    PlotFolder,
    PlotFormat,
    Quiet,
    Split,
    help_text,
)
from mnist_bp.data.names import SplitName
from mnist_bp.errors import AnswerIsNo, InputError, StorageError
from mnist_bp.reports.adversarial import adversarial_record, print_adversarial
from mnist_bp.reports.class_names import ClassNames
from mnist_bp.reports.console import Console
from mnist_bp.reports.data import named, warn_if_synthetic
from mnist_bp.reports.plot_formats import DEFAULT_FORMAT
from mnist_bp.reports.plots import MISTAKES, check_plot, plot_evaluation, plots_record, print_plots
from mnist_bp.reports.tables import confusion_table, per_class_table
from mnist_bp.reports.terminal_images import draw_side_by_side
from mnist_bp.training.data_settings import DataSettings
from mnist_bp.training.declaration import Range
from mnist_bp.training.metrics import percent
from mnist_bp.training.panels import OUTPUT
from mnist_bp.training.saved_model import TrainedModel, load_model
from mnist_bp.training.threads import default_threads

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset, Examples
    from mnist_bp.training.evaluation import Evaluation, Misclassified

__all__ = ["evaluate"]


@help_text("""Default: the latest run, on the test set of the dataset it was trained on.

Example: mnist-bp evaluate
""")
def evaluate(
    *,
    model: Model = None,
    source: DataSettings,
    split: Split = "test",
    min_accuracy: MinAccuracy = None,
    confusion: Annotated[
        bool,
        typer.Option(
            "--confusion/--no-confusion",
            help="Show the confusion matrix and the figures of each class. Default: yes.",
            rich_help_panel=OUTPUT,
        ),
    ] = True,
    mistakes: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=whole_number(Range.whole(1)),
            help="Draw the N misclassified examples with the most confident predictions.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    adversarial: Epsilon = None,
    plot: Plot = False,
    plot_format: PlotFormat = DEFAULT_FORMAT,
    output: PlotFolder = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    from threadpoolctl import threadpool_limits

    from mnist_bp.training.evaluation import evaluate as measure

    check_plot(plot, plot_format, output)
    console = Console(json=json, quiet=quiet)
    trained = load_model(model)
    network = trained.network
    _refuse_a_fallback(trained, is_gate=min_accuracy is not None and source.dataset is None and source.data_dir is None)
    data = trained_data(trained, source, console, **only(split))
    examples = data.split(split)
    console.require_reader()
    with threadpool_limits(default_threads(network.sizes[1:-1])):  # as in training by default: equal sums
        most = max(mistakes or 0, MISTAKES if plot else 0)
        pair = examples.rows, examples.labels
        result = measure(network, *pair, mistakes=most)
        attacked = None if adversarial is None else measure(network, *pair, adversarial=adversarial)
    found = result.mistakes[:mistakes] if mistakes else None
    _refuse_overflow(trained, result, attacked)
    plots, failure = None, None
    if plot:
        try:
            plots = plot_evaluation(trained, data, split, result, plot_format, output)
        except StorageError as error:  # the measured figures are printed first
            plots, failure = [], error
    record = _record(result, found, data, split, trained.path)
    console.emit_json({**record, **adversarial_record(adversarial, attacked), **plots_record(plots)})
    _show_what(trained, data, split, console)
    classes = ClassNames(data.class_names)
    if confusion:
        console.print()
        console.print(f"confusion matrix (rows: true {classes.kind}, columns: predicted {classes.kind})", style="bold")
        console.print_table(confusion_table(result.confusion, classes))
        console.print()
        console.print_table(per_class_table(result.per_class(), classes))
    if found is not None:
        console.print()
        _show_mistakes(found, examples, classes, console)
    if confusion or found is not None:
        console.print()
    if plots:
        print_plots(plots, console)
    print_adversarial(adversarial, attacked, split, console)
    figures = f"{split} accuracy {percent(result.accuracy)}, {split} cost {result.cost:.4f}"
    console.print_result(f"{figures} on {named(data)}", style="bold")
    if failure is not None:
        raise failure
    if min_accuracy is not None and result.accuracy < min_accuracy:
        raise AnswerIsNo(f"{split} accuracy {result.accuracy:.4f} is below --min-accuracy {min_accuracy:g}")


def _refuse_a_fallback(trained: TrainedModel, *, is_gate: bool) -> None:
    """Raise DataUnavailable for a gate if the network was trained, and would be evaluated, on fallback digits."""
    if is_gate and trained.meta.fallback:
        refuse_fallback(f"{trained.path} was trained on synthetic digits because MNIST was not available")


def _refuse_overflow(trained: TrainedModel, *results: "Evaluation | None") -> None:
    """Raise InputError if a cost is not finite."""
    if not all(math.isfinite(result.cost) for result in results if result is not None):
        dtype = trained.network.dtype
        raise InputError(f"{trained.path}: the cost is not finite; the parameters are too large for {dtype}")


def _show_what(trained: TrainedModel, data: "Dataset", split: SplitName, console: Console) -> None:
    """Print the model and the data that it is evaluated on."""
    trained_on = trained.meta.dataset
    console.print(f"model     {trained.description}")
    console.print(f"data      {data.name} {split}: {len(data.split(split)):,} examples")
    if trained_on is not None and trained_on != data.name:
        console.warn(f"The network was trained on {trained_on}, and is evaluated on {data.name}.")
    warn_if_synthetic(data, console)


def _show_mistakes(
    found: "Sequence[Misclassified]", examples: "Examples", classes: ClassNames, console: Console
) -> None:
    title = "misclassified examples, the most confident first" if found else "misclassified examples: none"
    console.print(title, style="bold")
    draw_side_by_side(
        [examples.images[mistake.example] for mistake in found],
        [
            f"example {example}: {classes.called(label)}\npredicted as {classes.called(answer)}, {output:.2f}"
            for example, label, answer, output in found
        ],
        console,
    )


def _record(
    result: "Evaluation", found: "Sequence[Misclassified] | None", data: "Dataset", split: str, path: Path
) -> dict[str, Any]:
    return {
        "event": "evaluation",
        "dataset": data.name,
        "split": split,
        "examples": result.examples,
        "cost": result.cost,
        "accuracy": result.accuracy,
        "confusion": result.confusion.tolist(),
        "per_class": [
            {**score._asdict(), **({"name": data.class_names[score.label]} if data.class_names else {})}
            for score in result.per_class()
        ],
        **({} if found is None else {"mistakes": [mistake._asdict() for mistake in found]}),
        "model": str(path),
        **data.mark,
    }
