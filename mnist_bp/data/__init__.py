"""Digits: files and arrays, which datasets exist, where they come from, and how they are cut into mini-batches.

>>> from mnist_bp.data import load, mini_batches
>>> digits = load("synthetic", limit=1000)
>>> inputs = digits.train.inputs("float32")
>>> for x, labels in mini_batches(inputs, digits.train.labels, 100, seed=0, epoch=1):
...     cost, gradient = network.backpropagate(x, labels)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mnist_bp.data.batches import mini_batches, shuffled
    from mnist_bp.data.datasets import Dataset, Examples, load

__all__ = ["Dataset", "Examples", "load", "mini_batches", "shuffled"]


def __getattr__(name: str) -> object:
    """Import on first use (PEP 562): the names of datasets, which every command needs, then cost no numpy."""
    from importlib import import_module

    if name in {"mini_batches", "shuffled"}:
        return getattr(import_module("mnist_bp.data.batches"), name)
    if name in {"Dataset", "Examples", "load"}:
        return getattr(import_module("mnist_bp.data.datasets"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
