"""Figures of ``evaluate --adversarial``."""

from typing import TYPE_CHECKING, Any

from mnist_bp.training.metrics import percent

if TYPE_CHECKING:
    from mnist_bp.training.evaluation import Evaluation

__all__ = ["adversarial_record", "adversarial_text"]


def adversarial_record(ε: float | None, attacked: "Evaluation | None") -> dict[str, Any]:
    """Return the figures on adversarial examples for the record; nothing if they were not measured."""
    if attacked is None:
        return {}
    return {"adversarial": {"epsilon": ε, "cost": attacked.cost, "accuracy": attacked.accuracy}}


def adversarial_text(ε: float | None, attacked: "Evaluation | None", split: str) -> str:
    """Return the figures on adversarial examples for the result line; "" if they were not measured."""
    if attacked is None:
        return ""
    return f"; adversarial, ε = {ε:g}: {split} accuracy {percent(attacked.accuracy)}, {split} cost {attacked.cost:.4f}"
