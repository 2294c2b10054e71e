"""How a gradient becomes a step."""

from dataclasses import dataclass

from mnist_bp.core.activations import Array

__all__ = ["SGD"]

BLOCK = 1 << 16
"""Parameters that are moved at a time."""


@dataclass(frozen=True)
class SGD:
    """Gradient descent: p ← p − η ∂C/∂p, stochastic when C is the mean over a mini-batch.

    ``learning_rate`` is η. It belongs to this C, which has no ½: with ½ in the cost, the same steps need 2 η.
    """

    learning_rate: float

    def step(self, parameters: Array, gradient: Array) -> None:
        """Move all parameters, in place: by blocks, so that each step of millions of them never leaves the cache."""
        for start in range(0, len(parameters), BLOCK):
            now = slice(start, start + BLOCK)
            parameters[now] -= self.learning_rate * gradient[now]
