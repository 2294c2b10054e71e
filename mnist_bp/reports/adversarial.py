"""Figures of ``evaluate --adversarial``."""

from typing import TYPE_CHECKING, Any

from mnist_bp.reports.console import Console
from mnist_bp.training.metrics import percent

if TYPE_CHECKING:
    from mnist_bp.training.evaluation import Evaluation

__all__ = ["adversarial_record", "print_adversarial"]


def adversarial_record(ε: float | None, attacked: "Evaluation | None") -> dict[str, Any]:
    """Return the figures on adversarial examples for the record; nothing if they were not measured."""
    if attacked is None:
        return {}
    return {"adversarial": {"epsilon": ε, "cost": attacked.cost, "accuracy": attacked.accuracy}}


def print_adversarial(ε: float | None, attacked: "Evaluation | None", split: str, console: Console) -> None:
    """Print the figures on adversarial examples, if they were measured."""
    if attacked is not None:
        figures = f"{split} accuracy {percent(attacked.accuracy)}, {split} cost {attacked.cost:.4f}"
        console.print_result(f"adversarial, ε = {ε:g}: {figures}")
