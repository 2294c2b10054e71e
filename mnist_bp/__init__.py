"""mnist-bp: train a network on MNIST, every number of it the calculus of backpropagation, done in the open."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mnist_bp.network import Network

__all__ = ["Network", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import the network on first use: ``mnist-bp --help`` then starts without numpy (PEP 562)."""
    if name == "Network":
        from mnist_bp.network import Network

        return Network
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
