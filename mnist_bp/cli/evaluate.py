"""``mnist-bp evaluate``."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mnist_bp.cli.declared import whole_number
from mnist_bp.cli.load import only, refuse_fallback, trained_data
from mnist_bp.cli.options import (
    Epsilon,
    Json,
    MinAccuracy,
    Models,
    Plot,
    PlotFolder,
    PlotFormat,
    Quiet,
    Split,
    help_text,
    require_accuracy,
)
from mnist_bp.cli.ranks import all_ranks
from mnist_bp.errors import InputError, StorageError
from mnist_bp.reports.adversarial import adversarial_record, adversarial_text
from mnist_bp.reports.class_names import ClassNames
from mnist_bp.reports.committee import members_record
from mnist_bp.reports.console import Console
from mnist_bp.reports.evaluation import evaluation_record, print_evaluation, show_figures, show_models_and_data
from mnist_bp.reports.plot_formats import DEFAULT_FORMAT
from mnist_bp.reports.plots import (
    MISTAKES,
    check_plot,
    plot_evaluation,
    plots_record,
    print_plots,
)
from mnist_bp.training.data_settings import DataSettings
from mnist_bp.training.declaration import Range
from mnist_bp.training.panels import OUTPUT
from mnist_bp.training.threads import default_threads
from mnist_bp.training.trained_committee import TrainedCommittee, load_committee

if TYPE_CHECKING:
    from mnist_bp.network import Network
    from mnist_bp.training.evaluation import Evaluation

__all__ = ["evaluate"]


@help_text("""Default: the latest run, on the test set of the dataset it was trained on. Several models, or the folder
of train --seeds, are a committee: their outputs are averaged, and --min-accuracy applies to the committee.

Example: mnist-bp evaluate
""")
def evaluate(
    *,
    models: Models = None,
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

    from mnist_bp.training.committee_evaluation import evaluate_committee
    from mnist_bp.training.evaluation import evaluate as measure

    check_plot(plot, plot_format, output)
    console = Console(json=json, quiet=quiet)
    trained = load_committee(models)
    _check_committee(trained, is_attacked=adversarial is not None, is_plot_without_folder=plot and output is None)
    trained.require_one_origin(source)
    _refuse_a_fallback(trained, is_gate=min_accuracy is not None and source.dataset is None and source.data_dir is None)
    data = trained_data(trained.source, source, console, **only(split))
    examples = data.split(split)
    console.require_reader()

    def threads(network: "Network") -> threadpool_limits:
        return threadpool_limits(default_threads(network.sizes[1:-1]))  # as in training by default: equal sums

    ranks = all_ranks()
    most = max(mistakes or 0, MISTAKES if plot else 0)
    pair = examples.rows, examples.labels
    evaluation = evaluate_committee(trained.committee, *pair, mistakes=most, threads=threads, ranks=ranks)
    result, attacked = evaluation.committee, None
    if adversarial is not None:
        with threads(trained.source.network):
            attacked = measure(trained.source.network, *pair, adversarial=adversarial, ranks=ranks)
    found = result.mistakes[:mistakes] if mistakes else None
    _refuse_overflow(trained, evaluation.members, attacked)
    plots, failure = None, None
    if plot:
        try:
            plots = plot_evaluation(trained, data, split, result, plot_format, output)
        except StorageError as error:  # the measured figures are printed first
            plots, failure = [], error
    record = {**evaluation_record(evaluation, found, data, split, trained), **members_record(trained, evaluation)}
    console.emit_json({**record, **adversarial_record(adversarial, attacked), **plots_record(plots)})
    show_models_and_data(trained, data, split, console)
    show_figures(evaluation, ClassNames(data.class_names), console, found, examples, confusion=confusion)
    if plots:
        print_plots(plots, console)
    print_evaluation(evaluation, data, split, adversarial_text(adversarial, attacked, split), console)
    if failure is not None:
        raise failure
    require_accuracy(result.accuracy, min_accuracy, f"{split} accuracy")


def _check_committee(trained: TrainedCommittee, *, is_attacked: bool, is_plot_without_folder: bool) -> None:
    """Raise InputError for what applies to one model only."""
    if trained.is_several and is_attacked:
        raise InputError("--adversarial attacks one network, and several models were given: name one RUN or MODEL")
    if trained.is_several and is_plot_without_folder:
        raise InputError("--plot of several models requires --output DIR, the folder for the figures")


def _refuse_a_fallback(trained: TrainedCommittee, *, is_gate: bool) -> None:
    """Raise DataUnavailable for a gate if a network was trained, and would be evaluated, on fallback digits."""
    for member in trained.members if is_gate else ():
        if member.meta.fallback:
            refuse_fallback(f"{member.path} was trained on synthetic digits because MNIST was not available")


def _refuse_overflow(trained: TrainedCommittee, results: "Sequence[Evaluation]", attacked: "Evaluation | None") -> None:
    """Raise InputError for a member whose cost is not finite; ``attacked`` is of the only member."""
    pairs = [*zip(trained.members, results, strict=True), *([] if attacked is None else [(trained.source, attacked)])]
    for member, result in pairs:
        if not math.isfinite(result.cost):
            dtype = member.network.dtype
            raise InputError(f"{member.path}: the cost is not finite; the parameters are too large for {dtype}")
