"""Objective that training minimizes, and its gradient: the mean cost of a mini-batch, with optional dropout and L2."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Layers, Masks, Trace, backward, forward, mean_cost
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.core.regularization import add_l2_gradient, l2_penalty
from mnist_bp.errors import InputError

__all__ = ["Objective"]


@dataclass
class Objective:
    """C = 1/n Σ_i C_i + λ/2 Σ w² as a function of a network's parameters. The dropout masks are fixed.

    Attributes
    ----------
    X, Y
        Inputs (n, n_0) and targets (n, n_L) of the mini-batch. Targets are one-hot or have smoothed labels.
    masks
        Factors of dropout, see ``regularization.draw_masks``. None if nothing is dropped.
    l2
        Coefficient λ of the L2 penalty.
    """

    X: Array
    Y: Array
    masks: Masks | None = None
    l2: float = 0.0

    def trace(self, network: Layers) -> Trace:
        """Return the values of the forward pass."""
        return forward(network, self.X, masks=self.masks)

    def cost(self, network: Layers) -> complex:
        """Return C for a network of any dtype."""
        C = mean_cost(network, self.trace(network), self.Y)
        return complex(C + l2_penalty(network, self.l2) if self.l2 else C)

    def gradient(
        self,
        network: Layers,
        trace: Trace | None = None,
        *,
        out: ParameterVector | None = None,
        dC_dX: Array | None = None,
    ) -> ParameterVector:
        """Return ∇C. A given ``trace`` saves the forward pass; ``out`` and ``dC_dX`` are as in ``network.backward``."""
        gradient = backward(network, trace or self.trace(network), self.Y, out=out, dC_dX=dC_dX)
        if self.l2:
            add_l2_gradient(network, self.l2, gradient)
        return gradient

    def input_gradient(self, network: Layers) -> Array | None:
        """Return ∂C/∂x, (n, n_0). A subclass whose gradient lacks it returns None."""
        dC_dX = np.empty_like(self.X)
        backward(network, self.trace(network), self.Y, dC_dX=dC_dX)
        return dC_dX

    def refuse_overflow(self, network: Layers) -> None:
        """Raise InputError if the network's parameters are so large that C is not finite."""
        with np.errstate(over="ignore", invalid="ignore"):
            if not np.isfinite(self.cost(network)):
                raise InputError(
                    f"the network's parameters are too large for {network.W[1].dtype}: the cost is not finite"
                )

    def with_inputs(self, X: Array) -> Self:
        """Return this objective for other inputs X, (m, n_0), and m of its targets and masks, repeated if needed."""
        rows = np.arange(len(X)) % len(self.Y)
        masks = self.masks and {l: mask[rows] for l, mask in self.masks.items()}
        return replace(self, X=X, Y=self.Y[rows], masks=masks)
