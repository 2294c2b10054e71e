"""``mnist-bp evaluate``."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnist_bp.cli.data import say_if_synthetic
from mnist_bp.cli.models import Model, load_model, trained_data
from mnist_bp.cli.options import OUTPUT, DataDir, Dataset, Json, MinAccuracy, Split
from mnist_bp.cli.output import Output, percent
from mnist_bp.cli.tables import confusion_table, per_class_table
from mnist_bp.errors import AnswerIsNo, InputError
from mnist_bp.training.recipe import default_threads

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset as Data
    from mnist_bp.training.evaluation import Evaluation

__all__ = ["evaluate"]


def evaluate(
    model: Model = None,
    dataset: Dataset = None,
    data_dir: DataDir = None,
    split: Split = "test",
    min_accuracy: MinAccuracy = None,
    confusion: Annotated[
        bool, typer.Option("--confusion/--no-confusion", help="Show what was taken for what.", rich_help_panel=OUTPUT)
    ] = True,
    json: Json = False,
) -> None:
    """Measure how good a trained network is, class by class.

    Without RUN or MODEL: the latest run. Without --dataset: the data that it was trained on.

    Example: mnist-bp evaluate
    """
    from threadpoolctl import threadpool_limits

    from mnist_bp.training.evaluation import evaluate as measure

    voice = Output(json=json)
    trained = load_model(model)
    network = trained.network
    data = trained_data(trained, dataset, data_dir, voice)
    examples = data.split(split)
    with threadpool_limits(default_threads(network.sizes[1:-1])):  # as training does untold: the same sums
        result = measure(network, examples.rows, examples.labels)
    if not math.isfinite(result.cost):
        raise InputError(f"{trained.path}: its numbers are too large for {network.dtype}: the cost is not finite")

    voice.record(_record(result, data, split, trained.path))
    trained_on = trained.meta.get("dataset")
    voice.say(f"model     {trained.description}")
    voice.say(f"data      {data.name} {split}: {len(examples):,} examples")
    if trained_on is not None and trained_on != data.name:
        voice.say(f"The network was trained on {trained_on}, and is measured on {data.name}.", style="yellow")
    say_if_synthetic(data, voice)
    if confusion:
        voice.say()
        voice.show(confusion_table(result.confusion, data.class_names))
        voice.say()
        voice.show(per_class_table(result.per_class(), data.class_names))
        voice.say()
    voice.conclude(f"accuracy {percent(result.accuracy)} ({data.name} {split}), cost {result.cost:.4f}", style="bold")
    if min_accuracy is not None and result.accuracy < min_accuracy:
        raise AnswerIsNo(f"accuracy {result.accuracy:.4f} is under --min-accuracy {min_accuracy:g}")


def _record(result: "Evaluation", data: "Data", split: str, path: Path) -> dict[str, Any]:
    return {
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
        "model": str(path),
        **data.mark,
    }
