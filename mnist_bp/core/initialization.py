"""Initial weights and biases."""

import numpy as np

from mnist_bp.core.choices import activation as activation_named
from mnist_bp.core.parameters import ParameterVector

__all__ = ["initialize"]

INITIAL_SUM_OF_SQUARES = 10
"""Largest Σ a² over a last hidden layer of sigmoids when training starts. In measurements with learning rate 2 and 800
neurons, networks stopped learning from about 60 on."""


def initialize(
    parameters: ParameterVector,
    activation: str,
    output_activation: str,
    *,
    rng: np.random.Generator,
) -> None:
    """Draw weights from N(0, 1) × gain / √fan-in, and set biases so that every z starts near a chosen mean.

    The gain is σ's between two hidden layers, and 1 after the inputs and before the outputs. The mean of z is 0 except
    in two layers. With sigmoid hidden neurons and sigmoid outputs, all outputs rise and fall together with Σ a² over
    the last hidden layer, and a first step that is too large saturates the network for good. So each output starts at
    1 / n_L, the fraction of the examples in which it should be on, and a wide last hidden layer starts mostly off.

    A sigmoid's activations are never negative, so its weights alone would shift the next layer's z by Σ_k w_jk σ(mean
    of z_k). The biases subtract this.
    """
    L = len(parameters.W)
    σ, outputs = activation_named(activation), activation_named(output_activation)
    z_mean = dict.fromkeys(parameters.W, 0.0)
    *hidden, n_L = parameters.sizes[1:]
    if outputs.inverse and n_L > 1:
        z_mean[L] = outputs.inverse(1 / n_L)
    if σ.inverse and hidden:
        z_mean[L - 1] = σ.inverse(min(1 / 2, (INITIAL_SUM_OF_SQUARES / hidden[-1]) ** 0.5))
    for l, W in parameters.W.items():
        gain = σ.gain if 1 < l < L else 1
        W[...] = rng.standard_normal(W.shape) * (gain / W.shape[1] ** 0.5)
        a_mean = σ.f(np.array([z_mean[l - 1]]))[0] if l > 1 else 0
        parameters.b[l][...] = z_mean[l] - a_mean * W.sum(axis=1)
