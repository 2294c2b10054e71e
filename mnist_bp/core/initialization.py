"""Initial weights and biases, by the names of ``--weight-init``."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from mnist_bp.core.activations import Activation
from mnist_bp.core.parameters import ParameterVector

__all__ = ["ENTRIES", "Initialization", "Scale", "scales"]

Initialization = Callable[[ParameterVector, Activation, Activation, np.random.Generator], None]
"""Function (parameters, σ of the hidden layers, σ of the outputs, random generator) that draws all parameters, in
place."""

INITIAL_SUM_OF_SQUARES = 10
"""Largest Σ a² over a last hidden layer of sigmoids when training starts. In measurements with learning rate 2 and 800
neurons, networks stopped learning from about 60 on."""


def scaled(parameters: ParameterVector, σ: Activation, outputs: Activation, rng: np.random.Generator) -> None:
    """Draw weights from N(0, 1) × gain / √fan-in, and set biases so that every z starts near a chosen mean.

    The gain is σ's between two hidden layers, and 1 after the inputs and before the outputs. The mean of z is 0 except
    in two layers. With sigmoid hidden neurons and sigmoid outputs, all outputs rise and fall together with Σ a² over
    the last hidden layer, and a first step that is too large saturates the network for good. So each output starts at
    1 / n_L, the fraction of the examples in which it should be on, and a wide last hidden layer starts mostly off.

    A sigmoid's activations are never negative, so its weights alone would shift the next layer's z by Σ_k w_jk σ(mean
    of z_k). The biases subtract this.
    """
    for l, (deviation, z_mean, a_mean) in scales(parameters.sizes, σ, outputs).items():
        W = parameters.W[l]
        W[...] = rng.standard_normal(W.shape) * deviation
        parameters.b[l][...] = z_mean - a_mean * W.sum(axis=1)


class Scale(NamedTuple):
    """Standard deviation of a layer's initial weights, mean of its z, and a of the layer before at its mean z."""

    deviation: float
    z_mean: float
    a_mean: float


def scales(sizes: Sequence[int], σ: Activation, outputs: Activation) -> dict[int, Scale]:
    """Return what ``scaled`` draws with, for layers 1 to L."""
    L = len(sizes) - 1
    z_mean = dict.fromkeys(range(1, L + 1), 0.0)
    *hidden, n_L = sizes[1:]
    if outputs.inverse and n_L > 1:
        z_mean[L] = outputs.inverse(1 / n_L)
    if σ.inverse and hidden:
        z_mean[L - 1] = σ.inverse(min(1 / 2, (INITIAL_SUM_OF_SQUARES / hidden[-1]) ** 0.5))
    gain = {l: σ.gain if 1 < l < L else 1 for l in z_mean}
    a_mean = {l: σ.f(np.array([z_mean[l - 1]]))[0] if l > 1 else 0.0 for l in z_mean}
    return {l: Scale(gain[l] / sizes[l - 1] ** 0.5, z_mean[l], a_mean[l]) for l in z_mean}


def glorot(parameters: ParameterVector, _σ: Activation, _outputs: Activation, rng: np.random.Generator) -> None:
    """Draw the weights of layer l from the uniform distribution between ±√(6 / (n_{l−1} + n_l)). Biases are 0.

    This is the normalized initialization of Glorot and Bengio (2010, equation 16).
    """
    for l, W in parameters.W.items():
        limit = (6 / sum(W.shape)) ** 0.5
        W[...] = rng.uniform(-limit, limit, W.shape)
        parameters.b[l][...] = 0


def he(parameters: ParameterVector, _σ: Activation, _outputs: Activation, rng: np.random.Generator) -> None:
    """Draw the weights of layer l from N(0, 2 / n_{l−1}). Biases are 0.

    This is the initialization of He, Zhang, Ren and Sun (2015, equation 10) for relus. Like the paper, it draws the
    first layer in this way, too, although no relu comes before it.
    """
    for l, W in parameters.W.items():
        W[...] = rng.standard_normal(W.shape) * (2 / W.shape[1]) ** 0.5
        parameters.b[l][...] = 0


def normal(parameters: ParameterVector, _σ: Activation, _outputs: Activation, rng: np.random.Generator) -> None:
    """Draw all weights and biases from N(0, 1).

    This is the first initialization of Nielsen (2015, "Neural Networks and Deep Learning", chapters 1 and 3). The z of
    the first hidden layer have a standard deviation of about 10 on MNIST, so that many sigmoids start saturated.
    """
    for l, W in parameters.W.items():
        W[...] = rng.standard_normal(W.shape)
        parameters.b[l][...] = rng.standard_normal(W.shape[0])


ENTRIES: dict[str, Initialization] = {"scaled": scaled, "glorot": glorot, "he": he, "normal": normal}
"""Built-in entries of the registry in ``choices``."""
