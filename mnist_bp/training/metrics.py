"""Metrics of an epoch, each declared once: its computation, and its form in the table, the log and the plots.

The record of an epoch, in a history or a checkpoint, contains the metrics that were declared when it was written. A
metric that was declared later is missing there, and is omitted wherever metrics are shown.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mnist_bp.core.choices import Registry
from mnist_bp.errors import InputError

if TYPE_CHECKING:
    from mnist_bp.network import Network
    from mnist_bp.training.diagnostics import Health
    from mnist_bp.training.evaluation import Evaluation

__all__ = ["METRICS", "EpochResult", "Measured", "Metric", "format_cost", "measure", "percent"]


@dataclass(frozen=True)
class Measured:
    """Sources of an epoch's metrics.

    Attributes
    ----------
    network
        Evaluated network after the epoch.
    train
        Evaluation of the mini-batches of the epoch, each just before its step: with augmentation and dropout, without
        L2 penalty and label smoothing.
    test, validation
        Evaluation on the test set and on the validation set after the epoch. None without such a set.
    learning_rate
        Learning rate of the first step.
    seconds
        Duration of the training alone, without evaluation.
    """

    network: "Network"
    train: "Evaluation"
    test: "Evaluation | None"
    validation: "Evaluation | None"
    learning_rate: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Metric:
    """Declaration of one metric.

    Attributes
    ----------
    compute
        Function (measured) ↦ value, or None if there is no value.
    heading
        Heading of its column in the table, which may have several lines.
    line
        Part of the log line, including the separator in front, such as "; test accuracy {}".
    format
        Function (value) ↦ text.
    higher_is_better
        True if a higher value is better, False if a lower one is, None if neither.
    in_table
        True if the table and the log line show it. Records always contain it.
    is_fraction
        True if it lies between 0 and 1.
    width
        Number of characters of its longest usual text.
    """

    compute: Callable[[Measured], float | None]
    heading: str
    line: str
    format: Callable[[float], str]
    higher_is_better: bool | None = None
    in_table: bool = True
    is_fraction: bool = False
    width: int = 8

    def __post_init__(self) -> None:
        if not (self.heading and "{}" in self.line):
            raise InputError("a metric requires a heading for the table, and a line with {} for the log")

    @property
    def columns(self) -> int:
        """Return the width of its column in the table: rows are printed one by one, so none waits for the widest."""
        return max(self.width, *map(len, self.heading.split("\n")))

    def holds(self, figure: Any) -> bool:
        """Return True if ``figure``, read from a file, is a valid value of this metric."""
        if type(figure) not in {int, float} or not math.isfinite(figure):
            return False
        return not self.is_fraction or 0 <= figure <= 1


@dataclass(frozen=True)
class EpochResult:
    """Result of an epoch: its number, from 1, its values by name of the metric, and the network's diagnostics.

    ``result.test_cost`` is short for ``result.figures.get("test_cost")``.
    """

    epoch: int
    figures: Mapping[str, float]
    health: "Health"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in METRICS:
            raise AttributeError(name)
        return self.figures.get(name)

    def record(self) -> dict[str, Any]:
        """Return the record for a history, a checkpoint and JSON."""
        return {"epoch": self.epoch, **self.figures, "health": asdict(self.health)}


def measure(measured: Measured) -> dict[str, float]:
    """Return the values of all metrics that have one."""
    figures = {name: metric.compute(measured) for name, metric in METRICS.items()}
    return {name: figure for name, figure in figures.items() if figure is not None}


def percent(fraction: float) -> str:
    """Return a fraction as a percentage: 0.9431 is 94.31 %."""
    return f"{100 * fraction:.2f} %"


def format_cost(cost: float) -> str:
    """Return a cost in at most eight characters."""
    return f"{cost:.4f}" if cost < 1000 else f"{cost:.2e}"


_COST: dict[str, Any] = {"format": format_cost, "higher_is_better": False}
_ACCURACY: dict[str, Any] = {"format": percent, "higher_is_better": True, "is_fraction": True}

_BUILT_IN = {
    "train_cost": Metric(
        compute=lambda measured: measured.train.cost, heading="train\ncost", line="; train cost {}", **_COST
    ),
    "train_accuracy": Metric(
        compute=lambda measured: measured.train.accuracy, heading="train\naccuracy", line=", accuracy {}", **_ACCURACY
    ),
    "validation_cost": Metric(
        compute=lambda measured: measured.validation.cost if measured.validation else None,
        heading="validation\ncost",
        line="; validation cost {}",
        in_table=False,
        **_COST,
    ),
    "validation_accuracy": Metric(
        compute=lambda measured: measured.validation.accuracy if measured.validation else None,
        heading="validation\naccuracy",
        line="; validation accuracy {}",
        **_ACCURACY,
    ),
    "test_cost": Metric(
        compute=lambda measured: measured.test.cost if measured.test else None,
        heading="test\ncost",
        line="; test cost {}",
        **_COST,
    ),
    "test_accuracy": Metric(
        compute=lambda measured: measured.test.accuracy if measured.test else None,
        heading="test\naccuracy",
        line=", accuracy {}",
        **_ACCURACY,
    ),
    "learning_rate": Metric(
        compute=lambda measured: measured.learning_rate,
        heading="learning\nrate",
        line="; learning rate {}",
        format="{:g}".format,
        in_table=False,
    ),
    "seconds": Metric(
        compute=lambda measured: measured.seconds,
        heading="seconds",
        line="; {} s",
        format="{:.2f}".format,
        higher_is_better=False,
        width=7,
    ),
}

METRICS: Registry[Metric] = Registry("metric", tuple(_BUILT_IN), lambda: _BUILT_IN)
"""Metrics by name, in the order in which they are shown."""
