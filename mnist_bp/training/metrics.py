"""The figures of an epoch, each declared once: what is computed, and how the table, the log and the plots show it.

The record of an epoch, in a history or a checkpoint, holds the figures that were declared when it was written. One that
was declared later is absent there, and everything that shows figures leaves it out.
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
    """The sources of an epoch's figures.

    Attributes
    ----------
    network
        The evaluated network after the epoch.
    train
        The mini-batches of the epoch, each as the network was just before it learned from them: with augmentation and
        dropout, without L2 penalty and label smoothing.
    test, validation
        Test set and validation set after the epoch; None where there is no validation set.
    learning_rate
        Learning rate of the first step.
    seconds
        Duration of the training alone, without evaluation.
    """

    network: "Network"
    train: "Evaluation"
    test: "Evaluation"
    validation: "Evaluation | None"
    learning_rate: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Metric:
    """The declaration of one figure.

    Attributes
    ----------
    compute
        (measured) ↦ the figure, or None where there is none.
    heading
        Heading of its column in the table; its words may stand in several lines.
    line
        Its part of the log line with the separator in front, "; test accuracy {}".
    format
        (figure) ↦ text.
    higher_is_better
        Which of two figures is better; None: neither.
    in_table
        Whether table and log line show it; records always have it.
    is_fraction
        Whether it lies between 0 and 1.
    """

    compute: Callable[[Measured], float | None]
    heading: str
    line: str
    format: Callable[[float], str]
    higher_is_better: bool | None = None
    in_table: bool = True
    is_fraction: bool = False

    def __post_init__(self) -> None:
        if not (self.heading and "{}" in self.line):
            raise InputError("a metric requires a heading for the table, and a line with {} for the log")

    def holds(self, figure: Any) -> bool:
        """Return whether ``figure``, from a file, can be one of this metric's."""
        if type(figure) not in {int, float} or not math.isfinite(figure):
            return False
        return not self.is_fraction or 0 <= figure <= 1


@dataclass(frozen=True)
class EpochResult:
    """The number of an epoch, from 1, its figures by name of the metric, and the state of the network after it.

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
    """Return the figures of all metrics that have one."""
    figures = {name: metric.compute(measured) for name, metric in METRICS.items()}
    return {name: figure for name, figure in figures.items() if figure is not None}


def percent(fraction: float) -> str:
    """Return a fraction as people read it: 0.9431 is 94.31 %."""
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
        heading="held-out\naccuracy",
        line="; validation accuracy {}",
        **_ACCURACY,
    ),
    "test_cost": Metric(
        compute=lambda measured: measured.test.cost, heading="test\ncost", line="; test cost {}", **_COST
    ),
    "test_accuracy": Metric(
        compute=lambda measured: measured.test.accuracy, heading="test\naccuracy", line=", accuracy {}", **_ACCURACY
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
    ),
}

METRICS: Registry[Metric] = Registry("metric", tuple(_BUILT_IN), lambda: _BUILT_IN)
"""Metrics by name, in the order in which they are shown."""
