"""``mnist-bp train``."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnist_bp.cli.config import Config
from mnist_bp.cli.data import load_dataset
from mnist_bp.cli.models import fresh_network
from mnist_bp.cli.options import (
    DATA,
    NETWORK,
    OUTPUT,
    TRAINING,
    Activation,
    Classes,
    Cost,
    DataDir,
    Dataset,
    Hidden,
    Json,
    MinAccuracy,
    Quiet,
    Seed,
    checked,
    positive,
)
from mnist_bp.cli.output import Output
from mnist_bp.cli.training_report import TrainingReport
from mnist_bp.core.names import DtypeName
from mnist_bp.data.names import SYNTHETIC
from mnist_bp.errors import AnswerIsNo, DataUnavailable, Diverged
from mnist_bp.training.recipe import (
    Recipe,
    default_learning_rate,
    default_threads,
    parse_batch_size,
    parse_hidden,
)

if TYPE_CHECKING:
    from mnist_bp.core.network import Network
    from mnist_bp.data.datasets import Dataset as Data
    from mnist_bp.training.loop import EpochResult
    from mnist_bp.training.runs import Run

__all__ = ["train"]


def train(
    dataset: Dataset = None,
    data_dir: DataDir = None,
    classes: Classes = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, help="Train on the first so many examples. Default: all.", rich_help_panel=DATA, show_default=False
        ),
    ] = None,
    hidden: Hidden = "16,16",
    activation: Activation = "sigmoid",
    cost: Cost = "squared-error",
    dtype: Annotated[DtypeName, typer.Option(help="Of every number.", rich_help_panel=NETWORK)] = "float32",
    learning_rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="How many gradients long a step is. Default: by activation and cost; 2 for theirs.",
            callback=positive,
            rich_help_panel=TRAINING,
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[
        str,
        typer.Option(
            metavar="N",
            help="Examples in a mini-batch, or all (true gradient descent).",
            callback=checked(parse_batch_size),
            rich_help_panel=TRAINING,
        ),
    ] = "100",
    epochs: Annotated[
        int, typer.Option(min=1, help="Times that every example is seen.", rich_help_panel=TRAINING)
    ] = 10,
    seed: Seed = 0,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Of the matrix products; 1 where others use the machine too. Default: 1, from 512 neurons all cores.",
            rich_help_panel=TRAINING,
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the run: config, history, model. Default: runs/<time>-<sizes>.",
            rich_help_panel=OUTPUT,
            show_default=False,
        ),
    ] = None,
    config: Config = None,  # noqa: ARG001 - its callback has made the other options' defaults of it
    min_accuracy: MinAccuracy = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a network, and say after each epoch how good it is.

    Without --dataset: MNIST, from disk or else downloaded; where it cannot be had, embedded synthetic digits.

    Example: mnist-bp train --hidden 16,16 --epochs 2
    """
    started = time.perf_counter()
    neurons = parse_hidden(hidden)
    recipe = Recipe(
        hidden=neurons,
        activation=activation,
        cost=cost,
        learning_rate=learning_rate or default_learning_rate(activation, cost),
        batch_size=parse_batch_size(batch_size),
        epochs=epochs,
        seed=seed,
        dtype=dtype,
        threads=threads or default_threads(neurons),
        dataset=dataset,
        data_dir=data_dir,
        limit=limit,
        classes=classes,
    )
    voice = Output(json=json, quiet=quiet)
    data, recipe = _load_data(recipe, voice)
    network = fresh_network(data, recipe.hidden, recipe.activation, recipe.cost, seed=recipe.seed, dtype=recipe.dtype)
    run = _run_folder(output, network, recipe)
    report = TrainingReport(voice, recipe, data, network)
    report.start()
    results, failure = _run_epochs(recipe, data, network, run, report)
    last = results[-1] if results else None
    report.end(_REASONS[type(failure)], last, run, time.perf_counter() - started)
    if failure is not None:
        raise failure
    if min_accuracy is not None and last is not None and last.test_accuracy < min_accuracy:
        raise AnswerIsNo(f"test accuracy {last.test_accuracy:.4f} is under --min-accuracy {min_accuracy:g}")


_REASONS = {type(None): "finished", KeyboardInterrupt: "interrupted", Diverged: "diverged"}


def _load_data(recipe: Recipe, voice: Output) -> "tuple[Data, Recipe]":
    """The data to train on, and the recipe that says so: MNIST that nobody asked for by name may become synthetic."""
    try:
        return _load(recipe, voice), recipe
    except DataUnavailable as error:
        if recipe.dataset is not None:
            raise
        voice.say(f"MNIST is not to be had here: {error}", style="yellow")
    recipe = replace(recipe, dataset=SYNTHETIC)
    return _load(recipe, voice), recipe


def _load(recipe: Recipe, voice: Output) -> "Data":
    return load_dataset(recipe.dataset, recipe.data_dir, voice, classes=recipe.classes, limit=recipe.limit)


def _run_folder(folder: Path | None, network: "Network", recipe: Recipe) -> "Run":
    from mnist_bp.training.runs import Run

    return Run(folder, network.sizes, recipe.options())


def _run_epochs(
    recipe: Recipe, data: "Data", network: "Network", run: "Run", report: TrainingReport
) -> "tuple[list[EpochResult], KeyboardInterrupt | Diverged | None]":
    """Train, telling of each epoch, and save: the results, and what cut them short if anything did."""
    from threadpoolctl import threadpool_limits

    from mnist_bp.training.loop import train

    results: list[EpochResult] = []
    failure: KeyboardInterrupt | Diverged | None = None
    try:
        with threadpool_limits(recipe.threads), report:
            for result in train(
                network,
                data.train.rows,
                data.train.labels,
                data.test.rows,
                data.test.labels,
                epochs=recipe.epochs,
                batch_size=recipe.batch_size or len(data.train),
                learning_rate=recipe.learning_rate,
                seed=recipe.seed,
                on_batch=report.step,
            ):
                results.append(result)
                run.record(report.epoch(result))
    except (KeyboardInterrupt, Diverged) as error:
        failure = error
    finally:  # whatever ended it, what was finished is kept
        run.save(network, _meta(recipe, data, results))
    return results, failure


def _meta(recipe: Recipe, data: "Data", results: "list[EpochResult]") -> dict[str, Any]:
    """What a model file tells of its training."""
    return {
        "dataset": data.name,
        "synthetic": data.is_synthetic,
        "config": recipe.options(),
        "epochs": len(results),
        "test_accuracy": results[-1].test_accuracy if results else None,
    }
