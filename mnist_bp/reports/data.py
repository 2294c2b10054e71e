"""Datasets in words: their names and sizes, and a warning where they are synthetic."""

from typing import TYPE_CHECKING

from mnist_bp.reports.console import Console

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset

__all__ = ["describe_data", "named", "print_if_synthetic"]


def print_if_synthetic(data: "Dataset", console: Console) -> None:
    """Say on top of figures that they come from synthetic digits, if they do."""
    if data.is_synthetic:
        console.print(
            "These are SYNTHETIC digits, drawn by a program: the figures below say nothing about MNIST.", style="yellow"
        )


def named(data: "Dataset") -> str:
    """What figures are of: the name of the data, and of digits that nobody wrote also that."""
    return f"{data.name} digits" if data.is_synthetic else data.name


def describe_data(data: "Dataset", training: int, held_out: int | None) -> str:
    """How many examples there are, and what for."""
    kept_back = f", {held_out:,} held out" if held_out else ""
    return f"{data.name}: {training:,} training and {len(data.test):,} test examples{kept_back}"
