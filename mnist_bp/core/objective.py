"""What training makes smaller, and its gradient: the mean cost of a mini-batch, with dropout and L2 where asked for."""

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
    """C = 1/n Σ_i C_i + λ/2 Σ w², a function of a network's parameters; what dropout leaves out is held fixed.

    Attributes
    ----------
    X, Y
        The mini-batch: inputs (n, n_0), and wanted outputs (n, n_L): one-hot, or with smoothed labels.
    masks
        Dropout's factors, see ``regularization.draw_masks``; None: nothing is left out.
    l2
        λ of the penalty.
    """

    X: Array
    Y: Array
    masks: Masks | None = None
    l2: float = 0.0

    def trace(self, network: Layers) -> Trace:
        """The forward pass."""
        return forward(network, self.X, masks=self.masks)

    def cost(self, network: Layers) -> complex:
        """C, of a network in any dtype."""
        C = mean_cost(network, self.trace(network), self.Y)
        return complex(C + l2_penalty(network, self.l2) if self.l2 else C)

    def gradient(
        self, network: Layers, trace: Trace | None = None, *, out: ParameterVector | None = None
    ) -> ParameterVector:
        """∇C. ``trace`` saves the forward pass where it is known, and ``out`` takes the result."""
        gradient = backward(network, trace or self.trace(network), self.Y, out=out)
        if self.l2:
            add_l2_gradient(network, self.l2, gradient)
        return gradient

    def refuse_overflow(self, network: Layers) -> None:
        """InputError if the network's parameters are so large that C is not finite."""
        with np.errstate(over="ignore", invalid="ignore"):
            if not np.isfinite(self.cost(network)):
                raise InputError(
                    f"the network's numbers are too large for {network.W[1].dtype}: the cost is not finite"
                )

    def with_inputs(self, X: Array) -> Self:
        """The same of other inputs: X is (m, n_0) with m ≤ n, and goes with the targets and masks of the first m."""
        masks = self.masks and {l: mask[: len(X)] for l, mask in self.masks.items()}
        return replace(self, X=X, Y=self.Y[: len(X)], masks=masks)
