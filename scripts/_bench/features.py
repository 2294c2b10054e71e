"""Measurements of training features: an epoch with each feature compared with a plain one, in turn."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from threadpoolctl import threadpool_limits

from _bench.jobs import Job
from _bench.results import Comparison
from mnist_bp.data.datasets import Dataset
from mnist_bp.training.metrics import EpochResult
from mnist_bp.training.notation import format_sizes
from mnist_bp.training.settings import Settings
from mnist_bp.training.threads import default_threads
from mnist_bp.training.trainer import LabelledImages, Trainer

HIDDEN = ((16, 16), (300, 100), (800,))

FEATURES: dict[str, dict[str, Any]] = {
    "plain": {},
    "momentum": {"optimizer": "momentum"},
    "nesterov": {"optimizer": "nesterov"},
    "adam": {"optimizer": "adam"},
    "average": {"average": 0.999},
    "l2": {"l2": 1e-4},
    "max-norm": {"max_norm": 3.0},
    "dropout": {"dropout": 0.5, "input_dropout": 0.2},
    "adversarial": {"adversarial": 0.1},
    "shift": {"augment": "shift"},
    "affine": {"augment": "affine"},
    "elastic": {"augment": "elastic"},
}


def measure(rounds: int, limit: int | None, data: Dataset, threads: Sequence[int] | None) -> Iterator[Comparison]:
    """Yield a comparison for each network and number of threads. None stands for the default number of ``train``."""
    data = replace(data, train=data.train.first(limit))
    for hidden, count in product(HIDDEN, threads or [None]):
        trainings = {name: _Epochs(hidden, settings, data, count) for name, settings in FEATURES.items()}
        seconds: dict[str, list[float]] = {name: [] for name in trainings}
        for number in range(rounds + 1):  # round 0 allocates memory and warms up
            for name, training in trainings.items():
                if (needed := training.epoch()) and number > 0:
                    seconds[name].append(needed)
        used = {name: f"{training.threads}" for name, training in trainings.items()}
        title = f"{format_sizes((data.pixels, *hidden, data.classes))}, relu, cross-entropy, batches of 100"
        yield Comparison(title, {"hidden": hidden}, seconds, {"threads": used})


class _Epochs:
    """Training with one feature, epoch by epoch."""

    def __init__(self, hidden: tuple[int, ...], settings: dict[str, Any], data: Dataset, threads: int | None) -> None:
        job = Job(hidden, activation="relu", cost="cross-entropy")
        self.threads = threads or default_threads(hidden, settings.get("augment", "none"))
        few = data.test.first(1000)
        fixed = Settings(average=0, learning_rate=0.001, batch_size=100, epochs=10**6, seed=0)
        self._results: Iterator[EpochResult] = Trainer(
            job.network(data),
            LabelledImages(data.train.rows, data.train.labels),
            LabelledImages(few.rows, few.labels),
            replace(fixed, **settings),
            image_shape=data.train.images.shape[1:],
        ).run()

    def epoch(self) -> float:
        """Train one more epoch, and return its seconds without the evaluation."""
        with threadpool_limits(self.threads):
            return next(self._results).seconds
