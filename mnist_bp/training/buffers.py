"""Buffers of the training loop."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.parameters import ParameterVector, vector_length
from mnist_bp.network import Network
from mnist_bp.training.evaluation import EXAMPLES_AT_ONCE
from mnist_bp.training.ranks import Ranks

__all__ = ["Buffers"]


class Buffers(NamedTuple):
    """Buffers of an epoch, allocated once because allocation is slow. Those that are not used take no memory.

    ``inputs`` and ``dC_dX`` have shape (examples at a time, n_0), ``masks[l]``, of dropout, (examples at a time, n_l),
    ``Z`` (examples, n_L) and ``labels`` (examples,).
    ``gradient`` and ``adversarial``, the gradients of clean and of adversarial examples, and ``mean``, that of a
    mini-batch of several parts, have the layout of the parameters.
    """

    inputs: Array
    dC_dX: Array
    masks: dict[int, Array]
    gradient: ParameterVector
    adversarial: ParameterVector
    mean: ParameterVector
    Z: Array
    labels: NDArray[np.uint8]

    @classmethod
    def for_training(cls, network: Network, examples: int, batch_size: int, ranks: Ranks) -> "Buffers":
        """Return the buffers for this rank's part of a training set of ``examples``."""
        sizes, dtype = network.sizes, network.dtype
        full, last = divmod(examples, batch_size)
        rows, last_rows = (len(range(count)[ranks.share(count)]) for count in (batch_size, last))
        at_once = min(rows, EXAMPLES_AT_ONCE)
        return cls(
            inputs=np.empty((at_once, sizes[0]), dtype),
            dC_dX=np.empty((at_once, sizes[0]), dtype),
            masks={l: np.empty((at_once, neurons), dtype) for l, neurons in enumerate(sizes[:-1])},
            gradient=ParameterVector(sizes, ranks.vector(vector_length(sizes), dtype)),
            adversarial=ParameterVector.empty(sizes, dtype),
            mean=ParameterVector(sizes, ranks.vector(vector_length(sizes), dtype)),
            Z=np.empty((full * rows + last_rows, sizes[-1]), dtype),
            labels=np.empty(full * rows + last_rows, np.uint8),
        )
