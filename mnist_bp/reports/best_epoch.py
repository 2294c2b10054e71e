"""Report of the best epoch of a training with ``--keep best``."""

from typing import TYPE_CHECKING, Any

from mnist_bp.reports.console import Console
from mnist_bp.training.metrics import percent

if TYPE_CHECKING:
    from mnist_bp.training.run import TrainingRun

__all__ = ["best_record", "print_best"]

OF_THE_LAST_EPOCH = ("test_cost", "test_accuracy", "validation_cost", "validation_accuracy")
"""Metrics of the last epoch in the end record."""


def best_record(session: "TrainingRun") -> dict[str, Any]:
    """Return the keys of the end record about the best and the last epoch; none if the last one is always saved."""
    if session.settings.keep != "best":
        return {}
    last, saved = session.last, session.saved
    return {
        "best_epoch": saved.epoch if saved else None,
        "validation_cost": saved.validation_cost if saved else None,
        "validation_accuracy": saved.validation_accuracy if saved else None,
        "last_epoch": {name: last.figures[name] for name in OF_THE_LAST_EPOCH} if last else None,
    }


def print_best(session: "TrainingRun", console: Console) -> None:
    """Print which epoch is saved, unless it is always the last one."""
    last, saved = session.last, session.saved
    if session.settings.keep == "best" and last and saved:
        console.print(
            f"saved model: epoch {saved.epoch} of {last.epoch}, best validation accuracy "
            f"{percent(saved.validation_accuracy)} (last epoch: {percent(last.validation_accuracy)})"
        )
