"""Parameters of the epoch with the best validation accuracy, which ``--keep best`` saves."""

from typing import TYPE_CHECKING

import numpy as np

from mnist_bp.core.activations import Array

if TYPE_CHECKING:
    from mnist_bp.network import Network
    from mnist_bp.training.evaluation import Evaluation

__all__ = ["BestEpoch"]


class BestEpoch:
    """Copy of a network after its best epoch so far.

    The best epoch has the highest validation accuracy. Of equal accuracies, the lower validation cost is better, and of
    equal costs, the earlier epoch.

    Parameters
    ----------
    network
        Network before the first epoch.

    Attributes
    ----------
    network
        Network after the best epoch; the initial network while no epoch has finished.
    state
        Arrays of the copy by name, changed in place: see ``Trainer.state``.
    """

    def __init__(self, network: "Network") -> None:
        self.network = network.astype(network.dtype)
        self._epoch, self._accuracy, self._cost = np.zeros((), np.int64), np.zeros(()), np.zeros(())
        self.state: dict[str, Array] = {
            "kept_epoch": self._epoch,
            "kept_accuracy": self._accuracy,
            "kept_cost": self._cost,
            "kept_parameters": self.network.parameters,
        }

    @property
    def epoch(self) -> int:
        """Number of the best epoch, 0 while no epoch has finished."""
        return int(self._epoch)

    def update(self, epoch: int, network: "Network", validation: "Evaluation") -> None:
        """Copy the network after an epoch, with its evaluation on the validation set, if it is better."""
        best = (float(self._accuracy), -float(self._cost))
        if self.epoch and (validation.accuracy, -validation.cost) <= best:
            return
        self._epoch[...], self._accuracy[...], self._cost[...] = epoch, validation.accuracy, validation.cost
        self.network.parameters[...] = network.parameters
