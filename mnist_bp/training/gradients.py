"""Gradients of a training's mini-batches."""

from dataclasses import dataclass, field

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.adversarial import mixed_gradient
from mnist_bp.core.network import Masks
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.core.recording import NotRecordable, RecordedGradient
from mnist_bp.core.regularization import add_l2_gradient, smoothed_targets
from mnist_bp.data.batches import normalize
from mnist_bp.network import Network
from mnist_bp.training.buffers import Buffers
from mnist_bp.training.epoch_inputs import ALL, MiniBatch
from mnist_bp.training.evaluation import EXAMPLES_AT_ONCE, chunks
from mnist_bp.training.settings import Settings

__all__ = ["Gradients"]

MOST_ACTIVATIONS = 50_000
"""Largest number of activations of a mini-batch, n (n_1 + … + n_L), whose gradient is recorded: see ``core.recording``.
Above it, arithmetic takes so long that recording saves nothing, and its buffers would not fit in the cache."""


@dataclass
class Gradients:
    """Function that computes the gradients of mini-batches.

    Attributes
    ----------
    network, settings, buffers
        Network, settings and buffers of the training.
    l2
        Coefficient λ of the L2 penalty in the objective.
    """

    network: Network
    settings: Settings
    buffers: Buffers
    l2: float
    _recorded: dict[int, RecordedGradient | None] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        classes, dtype = self.network.sizes[-1], self.network.dtype
        self._targets = smoothed_targets(classes, self.settings.label_smoothing, dtype)
        self._Y = np.zeros((len(self.buffers.inputs), classes), dtype)

    def __call__(self, batch: MiniBatch, part: slice = ALL) -> tuple[Array, ParameterVector]:
        """Return the weighted sums of the outputs, (n, n_L), and ∇C of a mini-batch, or of a part of its examples.

        In adversarial training, ∇C is the mean of two gradients, and the sums are those of the clean examples. Both
        results may be buffers, which the next call overwrites.
        """
        network, buffers, labels = self.network, self.buffers, batch.labels[part]
        if not len(labels):  # more ranks than examples
            return buffers.Z[:0], buffers.gradient
        if len(labels) > EXAMPLES_AT_ONCE:
            return self._in_parts(batch, part)
        X = normalize(batch.images[part], network.dtype, out=buffers.inputs)
        Y = self._targets.take(labels, axis=0, out=self._Y[: len(X)], mode="clip")  # "raise" would make another copy
        masks = batch.draw_masks(part, buffers.masks) if batch.draw_masks else {}
        if (recorded := self._recorded_for(len(X), masks)) is not None:
            return self._from_record(recorded, X)
        objective = Objective(X, Y, masks, self.l2)
        trace = objective.trace(network)
        if not (ε := self.settings.adversarial):
            return trace.Z, objective.gradient(network, trace, out=buffers.gradient)
        out = (buffers.gradient, buffers.adversarial, buffers.dC_dX[: len(X)])
        return trace.Z, mixed_gradient(network, objective, trace, ε, out=out)

    def _in_parts(self, batch: MiniBatch, part: slice) -> tuple[Array, ParameterVector]:
        """Return these for a large mini-batch, by accumulating the gradients of parts that fit in the cache."""
        rows, Z = range(len(batch.labels))[part], []
        mean = self.buffers.mean
        mean.vector.fill(0)
        for now in chunks(len(rows)):
            some = rows[now]
            part_Z, gradient = self(batch, slice(some.start, some.stop))
            gradient.vector *= len(part_Z) / len(rows)
            mean.vector += gradient.vector
            Z.append(part_Z.copy())
        return np.concatenate(Z), mean

    def _from_record(self, recorded: RecordedGradient, X: Array) -> tuple[Array, ParameterVector]:
        if X.base is not self.buffers.inputs:  # the images were inputs already
            np.copyto(self.buffers.inputs[: len(X)], X)
        recorded()
        if self.l2:
            add_l2_gradient(self.network, self.l2, self.buffers.gradient)
        return recorded.Z, self.buffers.gradient

    def _recorded_for(self, n: int, masks: Masks) -> RecordedGradient | None:
        """Return the recorded gradient of n examples, or None if it is computed without recording.

        ``masks`` are parts of the buffers, and the same ones for each mini-batch of n examples.
        """
        if n not in self._recorded:
            self._recorded[n] = self._record(n, masks)
        return self._recorded[n]

    def _record(self, n: int, masks: Masks) -> RecordedGradient | None:
        if self.settings.adversarial or n * sum(self.network.sizes[1:]) > MOST_ACTIVATIONS:
            return None
        try:
            return RecordedGradient(self.network, self.buffers.inputs[:n], self._Y[:n], self.buffers.gradient, masks)
        except NotRecordable:
            return None
