"""The options of ``train`` that no other command has."""

from pathlib import Path
from typing import Annotated

import typer

from mnist_bp.cli.config import use_run
from mnist_bp.cli.options import DATA, NETWORK, OUTPUT, TRAINING, checked, number, positive
from mnist_bp.core.names import DtypeName, OptimizerName
from mnist_bp.data.names import MOST_STRENGTH, AugmentName
from mnist_bp.environment import user_path
from mnist_bp.training.recipe import parse_batch_size
from mnist_bp.training.schedules import ScheduleName

__all__ = [
    "L2",
    "Augment",
    "AugmentStrength",
    "Average",
    "BatchSize",
    "Dropout",
    "Dtype",
    "EarlyStop",
    "Epochs",
    "InputDropout",
    "LabelSmoothing",
    "LearningRate",
    "Limit",
    "Optimizer",
    "OutputFolder",
    "Resume",
    "Schedule",
    "Seeds",
    "Threads",
    "Validation",
]


_share = number(lambda value: 0 <= value < 1, "a number from 0 to below 1")
_decay = number(lambda value: 0 < value < 1, "a decay between 0 and 1, like 0.999")
_strength = number(lambda value: 0 < value <= MOST_STRENGTH, f"a factor above 0, up to {MOST_STRENGTH:g}")


Limit = Annotated[
    int | None,
    typer.Option(
        min=1, help="Train on the first so many examples. Default: all.", rich_help_panel=DATA, show_default=False
    ),
]
Validation = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Hold so many training examples out, as many of each class as its share, to validate on. Default: none.",
        rich_help_panel=DATA,
        show_default=False,
    ),
]
Augment = Annotated[
    AugmentName,
    typer.Option(
        help="Distort the training images, afresh in each epoch: shifted; also turned, scaled and sheared; also bent.",
        rich_help_panel=DATA,
    ),
]
AugmentStrength = Annotated[
    float,
    typer.Option(
        metavar="FACTOR",
        help="Of the usual distortions, up to 10: 2 px; ±12°, ±13 %, shear 0.15, 1.5 px; elastic, 1 px.",
        callback=_strength,
        rich_help_panel=DATA,
    ),
]
Dtype = Annotated[DtypeName, typer.Option(help="Of every number.", rich_help_panel=NETWORK)]
Optimizer = Annotated[
    OptimizerName,
    typer.Option(help="How a gradient becomes a step (momentum 0.9; Adam as AdamW).", rich_help_panel=TRAINING),
]
LearningRate = Annotated[
    float | None,
    typer.Option(
        metavar="RATE",
        help="How many gradients long a step is. Default: by optimizer, activation and cost; 2 for sgd, sigmoid and "
        "squared error.",
        callback=positive,
        rich_help_panel=TRAINING,
        show_default=False,
    ),
]
Schedule = Annotated[
    ScheduleName,
    typer.Option(
        help="How the learning rate changes over all --epochs: not; to a tenth at 1/2 and again at 3/4; down along a "
        "cosine; up and down.",
        rich_help_panel=TRAINING,
    ),
]
BatchSize = Annotated[
    str,
    typer.Option(
        metavar="N",
        help="Examples in a mini-batch, or all (true gradient descent).",
        callback=checked(parse_batch_size),
        rich_help_panel=TRAINING,
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1_000_000,
        help="Times that every example is seen. Default: 10.",
        rich_help_panel=TRAINING,
        show_default=False,
    ),
]
L2 = Annotated[
    float,
    typer.Option(
        metavar="λ",
        help="Penalty λ/2 Σ w² on the weights; with Adam, they shrink directly.",
        callback=_share,
        rich_help_panel=TRAINING,
    ),
]
Dropout = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        help="Of the hidden neurons, left out of each example at random.",
        callback=_share,
        rich_help_panel=TRAINING,
    ),
]
InputDropout = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        help="Of the pixels, left out of each example at random.",
        callback=_share,
        rich_help_panel=TRAINING,
    ),
]
LabelSmoothing = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        help="Of each target, spread over all classes.",
        callback=_share,
        rich_help_panel=TRAINING,
    ),
]
Average = Annotated[
    float | None,
    typer.Option(
        metavar="DECAY",
        help="Evaluate and keep a running average of the parameters, with this decay a step, like 0.999. "
        "Default: no average.",
        callback=_decay,
        rich_help_panel=TRAINING,
        show_default=False,
    ),
]
EarlyStop = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Stop after N epochs without a better validation accuracy. Default: never.",
        rich_help_panel=TRAINING,
        show_default=False,
    ),
]
Seeds = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=2,
        max=10_000,
        help="Train N networks, seeds --seed, --seed + 1, …, as many at a time as cores allow (more with --threads 1), "
        "and give mean ± standard deviation; --min-accuracy is of the mean. Default: one network.",
        rich_help_panel=TRAINING,
        show_default=False,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1_024,
        help="Threads for matrix products; 1 where others use the machine too. Default: 1; from 512 neurons on all "
        "cores that the process may use, with --augment all but one.",
        rich_help_panel=TRAINING,
        show_default=False,
    ),
]
OutputFolder = Annotated[
    Path | None,
    typer.Option(
        parser=user_path,
        metavar="DIR",
        help="Folder of the run: config, history, model. Default: runs/<time>-<sizes>.",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
Resume = Annotated[
    Path | None,
    typer.Option(
        parser=user_path,
        metavar="RUN",
        help="Go on with the run in this folder from its last finished epoch, as if it had never stopped.",
        callback=use_run,
        is_eager=True,
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
