"""What keeps a network from learning its examples by heart: small weights, and neurons that may be missing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Layers
from mnist_bp.core.parameters import ParameterVector

__all__ = ["add_l2_gradient", "draw_masks", "l2_penalty", "shrink_weights", "smoothed_targets"]

_STEPS = 1 << 16
"""Into which dropout's rate is rounded: two random bytes for each activation are cheaper than a random float."""


def l2_penalty(network: Layers, λ: float) -> Array:
    """λ/2 Σ w², over all weights and no bias: what is added to the cost, a scalar of the network's dtype."""
    return 0.5 * λ * sum(np.einsum("jk,jk->", W, W) for W in network.W.values())


def add_l2_gradient(network: Layers, λ: float, gradient: ParameterVector) -> None:
    """Add the penalty's gradient, λ w, in place."""
    for l, W in network.W.items():
        gradient.W[l] += λ * W


def shrink_weights(network: Layers, share: float) -> None:
    """Make every weight smaller by this share of itself: w ← w − s w, in place."""
    for W in network.W.values():
        W *= 1 - share


def draw_masks(
    sizes: Sequence[int],
    examples: int,
    *,
    rate: float,
    input_rate: float,
    rng: np.random.Generator,
    dtype: DTypeLike,
) -> dict[int, Array]:
    """Inverted dropout: each activation is 0 with probability ``rate``, else divided by 1 − rate.

    Its expectation is then what it was, and a network that is not training needs no correction (Srivastava, Hinton,
    Krizhevsky, Sutskever and Salakhutdinov 2014, section 10, for the scaling).

    Parameters
    ----------
    sizes
        Neurons of each layer, the input first.
    examples
        n, in the mini-batch: each drops neurons of its own.
    rate, input_rate
        Of the hidden layers, and of the input; at least 0 and below 1, rounded to a 65,536th.

    Returns
    -------
    masks
        ``masks[l]`` of each layer l of which something is dropped, (n, n_l): see ``network.forward``.
    """
    rates = [input_rate, *[rate] * (len(sizes) - 2)]
    drawn = (_mask((examples, size), rate, rng, dtype) for size, rate in zip(sizes, rates, strict=False))
    return {l: mask for l, mask in enumerate(drawn) if mask is not None}


def _mask(shape: tuple[int, int], rate: float, rng: np.random.Generator, dtype: DTypeLike) -> Array | None:
    dropped = min(round(rate * _STEPS), _STEPS - 1)  # at a rate just below 1, some are kept all the same
    if dropped == 0:
        return None
    kept: NDArray[np.bool_] = rng.integers(_STEPS, size=shape, dtype=np.uint16) >= dropped
    return kept * np.asarray(_STEPS / (_STEPS - dropped), dtype)


def smoothed_targets(classes: int, smoothing: float, dtype: DTypeLike) -> Array:
    """What the outputs should be for each label, (classes, classes): (1 − s) one-hot + s / classes.

    Label smoothing (Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2016, section 7); 0 leaves the labels as they are.
    """
    return ((1 - smoothing) * np.eye(classes) + smoothing / classes).astype(dtype)
