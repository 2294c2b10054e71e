"""Text about datasets: their names and sizes, and a warning if they are synthetic."""

from typing import TYPE_CHECKING

from mnist_bp.reports.console import Console

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset

__all__ = ["SYNTHETIC_TOPIC", "describe_data", "named", "warn_if_synthetic", "warn_of_problems"]


SYNTHETIC_TOPIC = "synthetic digits"
"""Topic of all warnings about synthetic digits: one of them is enough."""


def warn_if_synthetic(data: "Dataset", console: Console) -> None:
    """Warn above figures if they come from synthetic digits."""
    if data.is_synthetic:
        console.warn(
            "These are SYNTHETIC digits, drawn by a program. The figures below say nothing about MNIST.",
            topic=SYNTHETIC_TOPIC,
        )


def warn_of_problems(data: "Dataset", console: Console) -> None:
    """Warn about what keeps a network from learning the data."""
    for problem in data.problems:
        console.warn(problem.text)


def named(data: "Dataset") -> str:
    """Return the name of the data in the result of a training, marked if the digits are synthetic."""
    return f"{data.name} digits" if data.is_synthetic else data.name


def describe_data(data: "Dataset", training: int, validation: int | None) -> str:
    """Return name and sizes of the training, validation and test sets."""
    rest = f", {validation:,} validation" if validation else ""
    return f"{data.name}: {training:,} training{rest} and {len(data.test):,} test examples"
