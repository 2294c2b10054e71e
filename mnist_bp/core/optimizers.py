"""How a gradient becomes a step."""

from dataclasses import dataclass

from mnist_bp.core.activations import Array

__all__ = ["SGD"]


@dataclass(frozen=True)
class SGD:
    """Gradient descent: p ← p − η ∂C/∂p, stochastic when C is the mean over a mini-batch.

    ``learning_rate`` is η. It belongs to this C, which has no ½: with ½ in the cost, the same steps need 2 η.
    """

    learning_rate: float

    def step(self, parameters: Array, gradient: Array) -> None:
        """Move all parameters at once, in place; what is left in ``gradient`` is the step."""
        gradient *= self.learning_rate
        parameters -= gradient
