"""Regularization, which reduces overfitting: L2, dropout and label smoothing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Layers
from mnist_bp.core.parameters import ParameterVector

__all__ = ["add_l2_gradient", "draw_masks", "l2_penalty", "shrink_weights", "smoothed_targets"]

_STEPS = 1 << 16
"""Resolution of the dropout rate: two random bytes for each activation are cheaper than a random float."""


def l2_penalty(network: Layers, λ: float) -> Array:
    """Return the penalty λ/2 Σ w² over all weights, without the biases, as a scalar of the network's dtype."""
    return 0.5 * λ * sum(np.einsum("jk,jk->", W, W) for W in network.W.values())


def add_l2_gradient(network: Layers, λ: float, gradient: ParameterVector) -> None:
    """Add the gradient of the penalty, λ w, in place."""
    for l, W in network.W.items():
        gradient.W[l] += λ * W


def shrink_weights(network: Layers, fraction: float) -> None:
    """Shrink every weight by this fraction, in place: w ← w − fraction × w."""
    for W in network.W.values():
        W *= 1 - fraction


def draw_masks(
    sizes: Sequence[int],
    examples: int,
    *,
    rate: float,
    input_rate: float,
    rng: np.random.Generator,
    dtype: DTypeLike,
) -> dict[int, Array]:
    """Draw the masks of inverted dropout: each factor is 0 with probability ``rate``, else 1 / (1 − rate).

    This keeps the expected activations, so that evaluation needs no correction (Srivastava, Hinton, Krizhevsky,
    Sutskever and Salakhutdinov 2014, section 10, for the scaling).

    Parameters
    ----------
    sizes
        Number of neurons of each layer, input first.
    examples
        Number n of examples in the mini-batch. Each example drops different neurons.
    rate, input_rate
        Dropout rate of the hidden layers and of the input, 0 to below 1, rounded to a multiple of 1/65,536.

    Returns
    -------
    masks
        ``masks[l]``, shape (n, n_l), for each layer l with dropout: see ``network.forward``.
    """
    rates = [input_rate, *[rate] * (len(sizes) - 2)]
    drawn = (_mask((examples, size), rate, rng, dtype) for size, rate in zip(sizes, rates, strict=False))
    return {l: mask for l, mask in enumerate(drawn) if mask is not None}


def _mask(shape: tuple[int, int], rate: float, rng: np.random.Generator, dtype: DTypeLike) -> Array | None:
    dropped = min(round(rate * _STEPS), _STEPS - 1)  # even at a rate just below 1, some neurons are kept
    if dropped == 0:
        return None
    kept: NDArray[np.bool_] = rng.integers(_STEPS, size=shape, dtype=np.uint16) >= dropped
    return kept * np.asarray(_STEPS / (_STEPS - dropped), dtype)


def smoothed_targets(classes: int, smoothing: float, dtype: DTypeLike) -> Array:
    """Return the targets for each label, (classes, classes): (1 − smoothing) × one-hot + smoothing / classes.

    This is label smoothing (Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2016, section 7). 0 leaves the labels
    unchanged.
    """
    return ((1 - smoothing) * np.eye(classes) + smoothing / classes).astype(dtype)
