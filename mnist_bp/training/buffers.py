"""Buffers of the training loop."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.network import Network
from mnist_bp.training.evaluation import EXAMPLES_AT_ONCE

__all__ = ["Buffers"]


class Buffers(NamedTuple):
    """Buffers of an epoch, allocated once because allocation is slow. Those that are not used take no memory.

    ``inputs`` and ``dC_dX`` have shape (examples at a time, n_0), ``Z`` (examples, n_L) and ``labels`` (examples,).
    ``gradient`` and ``adversarial``, the gradients of clean and of adversarial examples, have the layout of the
    parameters.
    """

    inputs: Array
    dC_dX: Array
    gradient: ParameterVector
    adversarial: ParameterVector
    Z: Array
    labels: NDArray[np.uint8]

    @classmethod
    def for_training(cls, network: Network, examples: int, batch_size: int) -> "Buffers":
        """Return the buffers for a training set of ``examples``."""
        sizes, dtype = network.sizes, network.dtype
        at_once = min(batch_size, EXAMPLES_AT_ONCE), sizes[0]
        return cls(
            inputs=np.empty(at_once, dtype),
            dC_dX=np.empty(at_once, dtype),
            gradient=ParameterVector.empty(sizes, dtype),
            adversarial=ParameterVector.empty(sizes, dtype),
            Z=np.empty((examples, sizes[-1]), dtype),
            labels=np.empty(examples, np.uint8),
        )
