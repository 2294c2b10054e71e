"""mnist-bp: train a network on MNIST with every number of backpropagation computed openly."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mnist_bp.api import Trainer, check_gradient, evaluate, explain, load_dataset
    from mnist_bp.committee import Committee
    from mnist_bp.network import Network

__all__ = ["Committee", "Network", "Trainer", "__version__", "check_gradient", "evaluate", "explain", "load_dataset"]
__version__ = "0.5.0"

_MODULES = {"Committee": "committee", "Network": "network"}
"""Modules of the names that are not in ``api``."""


def __getattr__(name: str) -> object:
    """Import the API on first use, so that ``mnist-bp --help`` starts without importing numpy (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"mnist_bp.{_MODULES.get(name, 'api')}"), name)
