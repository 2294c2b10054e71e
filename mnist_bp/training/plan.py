"""Plan of a training that does not run: its sizes, and estimates of its memory and its duration.

The memory is the sum of the arrays that a training allocates. The duration is measured: some steps on random images of
the right shape, with the optimizer, augmentation and dropout of the settings, are multiplied by the number of steps.
"""

import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from mnist_bp.core.choices import OPTIMIZERS
from mnist_bp.data.choices import AUGMENTATIONS
from mnist_bp.network import Network
from mnist_bp.training.evaluation import EXAMPLES_AT_ONCE, evaluate
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import LabelledImages, Trainer

__all__ = [
    "DataPlan",
    "Durations",
    "estimate_memory",
    "layer_sizes",
    "measure_durations",
    "parameter_count",
    "steps_per_epoch",
]

SECONDS = 0.7
"""Duration of the measured steps. Together with the evaluation, a measurement takes about a second."""

ROWS = 20_000
"""Largest number of random images: enough for many steps, and more than the cache holds, as in a training."""

EVALUATED = 2_000
"""Number of random images on which the evaluation is measured."""

PREFETCHED = 6
"""Number of augmented mini-batches in memory: those that are prefetched, the one in use and the one in production."""


@dataclass(frozen=True)
class DataPlan:
    """Dataset of a training, which need not be on disk.

    Attributes
    ----------
    name
        Name of the dataset.
    stored
        Number of training examples before ``--limit``. They are all in memory.
    train, validation, test
        Numbers of examples that are used.
    image_shape
        Rows and columns of an image.
    classes
        Number of classes.
    missing
        Reason why the dataset is not on disk, or "".
    """

    name: str
    stored: int
    train: int
    validation: int
    test: int
    image_shape: tuple[int, int]
    classes: int
    missing: str = ""

    @property
    def pixels(self) -> int:
        """Number of pixels of an image."""
        return self.image_shape[0] * self.image_shape[1]


@dataclass(frozen=True)
class Durations:
    """Measured durations in seconds: of a step, and of the evaluation after an epoch."""

    step: float
    evaluation: float


class _Enough(Exception):
    """End of the measured steps."""


def layer_sizes(settings: Settings, data: DataPlan) -> tuple[int, ...]:
    """Return the sizes of all layers, inputs first."""
    return (data.pixels, *settings.hidden, data.classes)


def parameter_count(sizes: tuple[int, ...]) -> int:
    """Return the number of weights and biases."""
    return sum(outputs * (inputs + 1) for inputs, outputs in pairwise(sizes))


def steps_per_epoch(settings: Settings, data: DataPlan) -> int:
    """Return the number of mini-batches in an epoch."""
    return -(-data.train // min(settings.batch_size or data.train, data.train))


def estimate_memory(settings: Settings, data: DataPlan) -> Mapping[str, int]:
    """Return the bytes of the arrays of a training, by purpose, without those of the program itself.

    Arrays that exist only at one moment count if they exist at the peak, while a checkpoint is written.
    """
    sizes, n_bytes = layer_sizes(settings, data), np.dtype(settings.dtype).itemsize
    parameters = n_bytes * parameter_count(sizes)
    batch = min(settings.batch_size or data.train, data.train)
    at_once = min(batch, EXAMPLES_AT_ONCE)
    optimizer = parameters * _states(settings)
    average = parameters if settings.average else 0
    best = parameters if settings.keep == "best" else 0
    state = parameters + optimizer + average + best
    image = data.pixels + 1  # grey levels and the label, both uint8
    held_out = (data.train + data.validation) * image if data.validation else 0
    layers = n_bytes * sum(sizes)
    augmented = PREFETCHED * batch * n_bytes * data.pixels if AUGMENTATIONS[settings.augment] is not None else 0
    return {
        "data": (data.stored + data.test) * image + held_out,
        "parameters": parameters,
        "gradient": parameters * (2 if settings.adversarial else 1) + (parameters if batch > EXAMPLES_AT_ONCE else 0),
        "optimizer": optimizer,
        "average": average,
        "best": best,
        "checkpoint": 3 * state,  # the state of the last finished epoch, and the file in memory
        "buffers": (
            data.train * (n_bytes * data.classes + 1 + 2 * np.dtype(np.int64).itemsize)  # outputs, labels, order
            + 3 * layers * at_once  # inputs, activations and derivatives of a mini-batch
            + (batch * image if batch < data.train else 0)
            + augmented
        ),
        "evaluation": 2 * layers * EXAMPLES_AT_ONCE + 3 * n_bytes * data.classes * max(data.test, data.train),
    }


def _states(settings: Settings) -> int:
    """Return the number of values that the optimizer keeps for each parameter."""
    probe = np.zeros(3, settings.dtype)
    coefficients = {} if settings.momentum is None else {"momentum": settings.momentum}
    state = OPTIMIZERS[settings.optimizer](probe, **coefficients).state
    return sum(array.shape == probe.shape for array in state.values())


def measure_durations(settings: Settings, data: DataPlan, seconds: float = SECONDS) -> Durations:
    """Return the durations of a step and of an evaluation, measured on random images.

    At least two steps are measured after a first one, however long they take. Large mini-batches are computed in parts,
    so one part is measured.
    """
    sizes, rng = layer_sizes(settings, data), np.random.default_rng(0)
    batch = min(settings.batch_size or data.train, data.train)
    measured = min(batch, EXAMPLES_AT_ONCE)
    rows = max(3 * measured, min(data.train, ROWS))
    images = rng.integers(0, 256, (rows, data.pixels), np.uint8)
    labels = (np.arange(rows) % data.classes).astype(np.uint8)
    network = Network(
        sizes, activation=settings.activation, cost=settings.cost, rng=rng, dtype=settings.dtype,
        weight_init=settings.weight_init,
    )  # fmt: skip
    alone = replace(settings, batch_size=measured, early_stop=None, validation=None, keep="last")
    trainer = Trainer(
        network,
        LabelledImages(images, labels),
        LabelledImages(images[:1], labels[:1]),
        alone,
        image_shape=data.image_shape,
    )
    step = _seconds_per_step(trainer, seconds) * batch / measured
    some = min(EVALUATED, rows)
    began = time.perf_counter()
    evaluate(network, images[:some], labels[:some])
    evaluation = (time.perf_counter() - began) * (data.test + data.validation) / some
    return Durations(step, evaluation)


def _seconds_per_step(trainer: Trainer, seconds: float) -> float:
    """Return the mean duration of the steps after the first, in which memory is allocated."""
    times: list[float] = []

    def on_batch() -> None:
        times.append(time.perf_counter())
        is_long = len(times) >= 3 and times[-1] - times[0] > seconds
        if is_long or len(times) == trainer.steps_per_epoch:
            raise _Enough

    with suppress(_Enough), closing(trainer.run(on_batch)) as epochs:  # it ends within the first epoch
        next(epochs)
    return (times[-1] - times[0]) / (len(times) - 1)
