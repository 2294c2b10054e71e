"""Settings of a training, each declared once. Options, configs, records and help are derived from them.

Each field of ``Settings`` is a setting. The fields determine the options of ``train`` and of other commands, the keys
and errors of a config, the start record, the printed recipe, and the commands of ``--seeds``. This module does not need
numpy, so that ``--help`` and errors about options are fast.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mnist_bp.core.choices import ACTIVATIONS, COSTS, DTYPES, INITIALIZATIONS, MOMENTUM_OPTIMIZERS, OPTIMIZERS
from mnist_bp.core.constants import MOMENTUM
from mnist_bp.data.choices import AUGMENTATIONS
from mnist_bp.data.names import MOST_STRENGTH, NO_AUGMENTATION
from mnist_bp.errors import InputError
from mnist_bp.storage.metadata import KEPT
from mnist_bp.training.data_settings import DataSettings, nowhere
from mnist_bp.training.declaration import Condition, Range, Setting, declared, setting
from mnist_bp.training.learning_rates import default_learning_rate
from mnist_bp.training.notation import count, format_batch_size, format_hidden, parse_batch_size, parse_hidden
from mnist_bp.training.panels import ADVANCED, DATA, NETWORK, TRAINING
from mnist_bp.training.saved_epoch import default_keep
from mnist_bp.training.schedules import CONSTANT, SCHEDULES
from mnist_bp.training.threads import MANY_NEURONS, default_threads

__all__ = ["EPSILON", "POSITIVE", "SETTINGS", "Settings", "refuse_dropout_of_nothing"]

_RATE = Range(0, 1, "a number from 0 to below 1", excludes_high=True)
_COUNT: dict[str, Any] = {"metavar": "N", "range": Range.whole(1)}
_DROPOUT: dict[str, Any] = {"metavar": "RATE", "range": _RATE}
_SEED: dict[str, Any] = {"metavar": "N", "range": Range.whole(0)}
_STRENGTH = Range(0, MOST_STRENGTH, f"a factor above 0, up to {MOST_STRENGTH:g}", excludes_low=True)
_LESSONS_RATE = default_learning_rate("sigmoid", "squared-error")
POSITIVE = Range(0, math.inf, "a number above 0", excludes_low=True, excludes_high=True)
EPSILON = Range(0, 1, "a number from 0 to 1")
"""Range of ε of adversarial examples, whose inputs are scaled to 0 … 1."""


@dataclass(frozen=True, kw_only=True)
class Settings(DataSettings):
    """Settings of a training. Each field is declared with its default, help and range.

    Defaults that depend on other settings (learning rate, saved epoch, threads) are filled in.

    Raises
    ------
    InputError
        If settings contradict each other.
    """

    limit: int | None = setting(
        None,
        "Number of training examples to use, from the first. Default: all.",
        DATA,
        phrase=nowhere,
        is_fixed=True,
        **_COUNT,
    )
    validation: int | None = setting(
        None,
        "Hold out N training examples, stratified by class, as a validation set. Default: none.",
        DATA,
        phrase=nowhere,
        is_fixed=True,
        **_COUNT,
    )
    hidden: tuple[int, ...] = setting(
        (16, 16),
        "Neurons of each hidden layer, or none at all.",
        NETWORK,
        metavar="N,N",
        parse=parse_hidden,
        format=format_hidden,
        phrase=nowhere,
        range=Range.whole(1),
        is_log=True,
    )
    activation: str = setting(
        "sigmoid", "Activation function of the hidden layers: {values}.", NETWORK, choices=ACTIVATIONS, phrase=nowhere
    )
    cost: str = setting(
        "squared-error",
        "Cost function: {values}.",
        NETWORK,
        choices=COSTS,
        notes={
            "squared-error": "sigmoid outputs",
            "cross-entropy": "softmax outputs",
            "binary-cross-entropy": "sigmoid outputs",
        },
        phrase=nowhere,
    )
    weight_init: str = setting(
        "scaled",
        "Initial weights: {values}.",
        ADVANCED,
        choices=INITIALIZATIONS,
        notes={"glorot": "uniform", "he": "for relu", "normal": "N(0, 1)"},
    )
    dtype: str = setting("float32", "Floating-point type: {values}.", ADVANCED, choices=DTYPES, phrase=nowhere)
    optimizer: str = setting(
        "sgd",
        "Optimizer: {values}.",
        TRAINING,
        choices=OPTIMIZERS,
        notes={**dict.fromkeys(MOMENTUM_OPTIMIZERS, f"μ = {MOMENTUM:g}"), "adam": "decays weights as AdamW does"},
        always=True,
        phrase=lambda settings: settings.optimizer,
    )
    learning_rate: float = setting(
        None,
        "Learning rate (step = rate × gradient). Default depends on the optimizer, activation and cost: "
        f"{_LESSONS_RATE:g} for sgd, sigmoid, squared-error.",
        TRAINING,
        metavar="RATE",
        range=POSITIVE,
        always=True,
        is_log=True,
    )
    momentum: float | None = setting(
        None,
        f"Momentum coefficient of {' and '.join(MOMENTUM_OPTIMIZERS)}. Default: {MOMENTUM:g}.",
        ADVANCED,
        metavar="μ",
        range=_RATE,
        phrase=lambda settings: "" if settings.momentum == MOMENTUM else f"μ {settings.momentum:g}",
        only_if=Condition("optimizer", lambda optimizer: optimizer in MOMENTUM_OPTIMIZERS),
    )
    schedule: str = setting(
        CONSTANT,
        "Learning-rate schedule: {values}. All but constant require --epochs.",
        TRAINING,
        choices=SCHEDULES,
        notes={"step": "×0.1 at 1/2 and 3/4", "cosine": "falls to 0", "one-cycle": "rises, then falls to 0"},
    )
    batch_size: int | None = setting(
        100,
        "Examples in a mini-batch, or all (full batch).",
        TRAINING,
        metavar="N",
        parse=parse_batch_size,
        format=format_batch_size,
        always=True,
        phrase=lambda settings: (
            f"batches of {settings.batch_size}" if settings.batch_size else "all examples in each step"
        ),
        range=Range.whole(1),
        is_log=True,
    )
    epochs: int = setting(
        10,
        "Number of passes over the training set.",
        TRAINING,
        metavar="N",
        range=Range.whole(1, 1_000_000),
        is_resumable=lambda settings: settings.schedule == CONSTANT,
        always=True,
        phrase=lambda settings: count(settings.epochs, "epoch"),
    )
    l2: float = setting(
        0.0,
        "L2 penalty λ/2 Σ w² on the weights; adam decays them directly.",
        TRAINING,
        metavar="λ",
        range=_RATE,
        phrase=lambda settings: f"L2 {settings.l2:g}",
        is_log=True,
    )
    max_norm: float | None = setting(
        None,
        "Largest norm of the incoming weights of a neuron. Default: no limit.",
        ADVANCED,
        metavar="C",
        range=POSITIVE,
        is_log=True,
    )
    dropout: float = setting(
        0.0, "Dropout rate of hidden neurons, 0 to below 1.", TRAINING, only_if=Condition("hidden", bool), **_DROPOUT
    )
    input_dropout: float = setting(0.0, "Dropout rate of pixels, 0 to below 1.", ADVANCED, **_DROPOUT)
    label_smoothing: float = setting(
        0.0, "Fraction of each target that is spread over all classes.", ADVANCED, metavar="FRACTION", range=_RATE
    )
    adversarial: float | None = setting(
        None,
        "Train by halves on x and x + ε sign(∂C/∂x), ε 0 to 1. Default: none.",
        ADVANCED,
        metavar="ε",
        range=EPSILON,
    )
    average: float = setting(
        0.99,
        "Decay per step of an exponential moving average (EMA) of the parameters, which is evaluated and saved; 0: no "
        "average.",
        ADVANCED,
        metavar="DECAY",
        range=_RATE,
        absent=0.0,
    )
    augment: str = setting(
        NO_AUGMENTATION,
        "Augmentation of the training images, new in each epoch: {values}.",
        DATA,
        choices=AUGMENTATIONS,
        notes={"affine": "also rotate, scale, shear", "elastic": "also bend"},
        phrase=lambda settings: (
            f"{settings.augment} augmentation"
            + (f" of strength {settings.augment_strength:g}" if settings.augment_strength != 1 else "")
        ),
    )
    augment_strength: float = setting(
        1.0,
        f"Strength of the augmentation, a factor up to {MOST_STRENGTH:g}.",
        ADVANCED,
        metavar="FACTOR",
        range=_STRENGTH,
        phrase=nowhere,
        only_if=Condition("augment", lambda augment: augment != NO_AUGMENTATION),
    )
    early_stop: int | None = setting(
        None,
        "Stop after N epochs without a better validation accuracy. Default: never.",
        TRAINING,
        **_COUNT,
        is_resumable=lambda settings: settings.early_stop is not None,
        phrase=lambda settings: f"early stop after {count(settings.early_stop, 'epoch')} without progress",
    )
    keep: str = setting(
        None,
        "Saved epoch: {values}. Default: last; best with --early-stop.",
        TRAINING,
        choices=dict.fromkeys(KEPT),
        notes={"best": "by validation accuracy"},
        absent="last",
        phrase=lambda each: "" if each.keep == default_keep(each.early_stop) else f"{each.keep} epoch saved",
    )
    seed: int = setting(
        0, "Random seed. Equal seeds give equal networks.", TRAINING, always=True, is_fixed=True, **_SEED
    )
    threads: int = setting(
        None,
        f"Threads for matrix products. Default: 1; all available cores from {MANY_NEURONS} neurons on, "
        "one fewer with --augment.",
        ADVANCED,
        metavar="N",
        range=Range.whole(1, 1_024),
        is_resumable=lambda _: True,
        always=True,
        phrase=lambda settings: count(settings.threads, "thread"),
        is_fixed=True,
    )

    def __post_init__(self) -> None:
        refuse_dropout_of_nothing(self.dropout, self.hidden)
        if self.augment == NO_AUGMENTATION and self.augment_strength != 1:
            raise InputError("--augment-strength requires --augment")
        if self.optimizer in MOMENTUM_OPTIMIZERS:
            object.__setattr__(self, "momentum", MOMENTUM if self.momentum is None else self.momentum)
        elif self.momentum is not None:
            raise InputError(
                f"--momentum requires --optimizer {' or '.join(MOMENTUM_OPTIMIZERS)}; {self.optimizer} has no such "
                "coefficient (leave it out, also of a config)"
            )
        if self.learning_rate is None:
            rate = default_learning_rate(self.activation, self.cost, self.optimizer, self.momentum)
            object.__setattr__(self, "learning_rate", rate)
        object.__setattr__(self, "keep", self.keep or default_keep(self.early_stop))
        if self.threads is None:
            object.__setattr__(self, "threads", default_threads(self.hidden, self.augment))

    @property
    def resumable(self) -> set[str]:
        """Keys of the settings that may change when a run is resumed."""
        return {each.key for each in SETTINGS.values() if each.is_resumable and each.is_resumable(self)}

    def record(self) -> dict[str, Any]:
        """Return all settings by field name, for the start record. A setting that is not set is None."""
        return {key.replace("-", "_"): value for key, value in self._formatted().items()}

    def describe(self, **instead: str) -> str:
        """Return the recipe in one line: settings that differ from their defaults, and those that are always printed.

        ``instead`` replaces the description of a setting.
        """
        words = (instead.get(name) or each.described(self) for name, each in SETTINGS.items())
        return ", ".join(filter(None, words))


SETTINGS: Mapping[str, Setting] = declared(Settings)
"""Declarations by field name, in the order of the help and the recipe."""


def refuse_dropout_of_nothing(dropout: float, hidden: Sequence[int]) -> None:
    """Raise InputError if there is dropout but no hidden neuron."""
    if dropout and not hidden:
        raise InputError("--dropout requires hidden neurons: use --input-dropout, or omit --hidden none")
