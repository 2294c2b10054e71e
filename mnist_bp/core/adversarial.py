"""Adversarial examples of the fast gradient sign method: x + ε sign(∂C/∂x).

Goodfellow, Shlens and Szegedy (2015, "Explaining and Harnessing Adversarial Examples"). Each input moves by ε in the
direction in which the cost rises. As in the paper, the result is not clipped: with inputs from 0 to 1, it lies between
−ε and 1 + ε. An input on which the cost does not depend stays.
"""

from dataclasses import replace

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Layers, Trace
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector

__all__ = ["adversarial_inputs", "mixed_gradient"]


def adversarial_inputs(net: Layers, clean: Objective, ε: float) -> Array:
    """Return adversarial examples, (n, n_0), of the inputs of an objective, with its masks."""
    dC_dX = np.empty_like(clean.X)
    clean.gradient(net, dC_dX=dC_dX)
    return _perturb(clean.X, dC_dX, ε)


def mixed_gradient(
    net: Layers, clean: Objective, trace: Trace, ε: float, *, out: tuple[ParameterVector, ParameterVector, Array]
) -> ParameterVector:
    """Return the gradient of ½ C(x) + ½ C(x + ε sign(∂C/∂x)), the objective of adversarial training.

    This is the paper's objective (section 6) with α = 0.5. The perturbation counts as a constant. Both halves have the
    same parameters, targets, dropout masks and L2 penalty. An example's perturbation does not depend on the others, so
    the gradient of a mini-batch is the mean of those of its examples.

    Parameters
    ----------
    net, clean, trace
        Network, objective of a mini-batch, and its forward pass.
    ε
        Size of the perturbation, in units of the inputs.
    out
        Buffers that are overwritten: two gradients, of which the first is returned, and an array like the inputs.
    """
    gradient, other, dC_dX = out
    clean.gradient(net, trace, out=gradient, dC_dX=dC_dX)
    replace(clean, X=_perturb(clean.X, dC_dX, ε)).gradient(net, out=other)
    gradient.vector += other.vector
    gradient.vector *= 0.5
    return gradient


def _perturb(X: Array, dC_dX: Array, ε: float) -> Array:
    """Return X + ε sign(∂C/∂x), (n, n_0), in the memory of ``dC_dX``. Only the signs in it matter, not the scale."""
    signs = (dC_dX > 0).view(np.int8) - (dC_dX < 0).view(np.int8)  # np.sign takes 20 times as long
    np.multiply(signs, dC_dX.dtype.type(ε), out=dC_dX)
    dC_dX += X
    return dC_dX
