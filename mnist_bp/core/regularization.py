"""Regularization, which reduces overfitting: L2, max-norm, dropout and label smoothing."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Layers
from mnist_bp.core.parameters import ParameterVector

__all__ = ["add_l2_gradient", "draw_masks", "l2_penalty", "limit_norms", "shrink_weights", "smoothed_targets"]

_STEPS = 1 << 16
"""Resolution of the dropout rate: two random bytes for each activation are cheaper than a random float."""

_STEPS_PER_WORD = 4
"""Number of these in a random 64-bit word."""


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


def limit_norms(network: Layers, C: float) -> None:
    """Scale the incoming weights of each neuron, row j of W^(l), back to length C if they are longer, in place.

    This is the max-norm constraint of Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014, section 5.1),
    also in Hinton, Srivastava, Krizhevsky, Sutskever and Salakhutdinov (2012). The papers describe it for hidden
    neurons. As in the code that the authors released for MNIST (C = 3), it applies to every layer, the outputs
    included. Biases are free, and shorter vectors keep every bit.
    """
    for W in network.W.values():
        norms = np.sqrt(np.einsum("jk,jk->j", W, W))
        if norms.max() > C:
            W *= (C / np.maximum(norms, C))[:, np.newaxis]


def draw_masks(
    sizes: Sequence[int],
    examples: int,
    *,
    rate: float,
    input_rate: float,
    rng: np.random.Generator,
    dtype: DTypeLike,
    skip: int = 0,
    out: Mapping[int, Array] | None = None,
) -> dict[int, Array]:
    """Draw the masks of inverted dropout: each factor is 0 with probability ``rate``, else 1 / (1 − rate).

    This keeps the expected activations, so that evaluation needs no correction (Srivastava, Hinton, Krizhevsky,
    Sutskever and Salakhutdinov 2014, section 10, for the scaling).

    Masks are drawn example by example, for all layers of an example together. Examples a to b of a mini-batch therefore
    get the same masks if all of its examples are drawn at once, if they are drawn part by part with one ``rng``, and
    if ``skip`` is a and only these are drawn.

    Parameters
    ----------
    sizes
        Number of neurons of each layer, input first.
    examples
        Number n of examples. Each example drops different neurons.
    rate, input_rate
        Dropout rate of the hidden layers and of the input, 0 to below 1, rounded to a multiple of 1/65,536.
    rng
        Random generator. With ``skip``, its bit generator must have ``advance``, like PCG64.
    skip
        Number of examples whose random numbers are skipped first.
    out
        Arrays of n or more rows, by layer, that receive the masks, so that none are allocated in each step.

    Returns
    -------
    masks
        ``masks[l]``, shape (n, n_l), for each layer l with dropout: see ``network.forward``.
    """
    rates = [input_rate, *[rate] * (len(sizes) - 2)]
    dropped = {l: steps for l, each in enumerate(rates) if (steps := _dropped_steps(each))}
    words = -(-sum(sizes[l] for l in dropped) // _STEPS_PER_WORD)
    if skip:
        rng.bit_generator.advance(skip * words)  # type: ignore[attr-defined]  # not every bit generator can
    drawn = rng.bit_generator.random_raw(examples * words).astype("<u8", copy=False)  # the same on every processor
    drawn = drawn.view("<u2").reshape(examples, words * _STEPS_PER_WORD)
    masks, column = {}, 0
    for l, steps in dropped.items():
        kept: NDArray[np.bool_] = drawn[:, column : column + sizes[l]] >= steps
        scale = np.asarray(_STEPS / (_STEPS - steps), dtype)
        masks[l] = np.multiply(kept, scale, out=None if out is None else out[l][:examples])
        column += sizes[l]
    return masks


def _dropped_steps(rate: float) -> int:
    """Return the number of ``_STEPS`` that drop an activation."""
    return min(round(rate * _STEPS), _STEPS - 1)  # even at a rate just below 1, some neurons are kept


def smoothed_targets(classes: int, smoothing: float, dtype: DTypeLike) -> Array:
    """Return the targets for each label, (classes, classes): (1 − smoothing) × one-hot + smoothing / classes.

    This is label smoothing (Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2016, section 7). 0 leaves the labels
    unchanged.
    """
    return ((1 - smoothing) * np.eye(classes) + smoothing / classes).astype(dtype)
