"""Rule for the end of a training."""

from collections.abc import Mapping

from mnist_bp.core.activations import Array
from mnist_bp.training.settings import Settings

__all__ = ["is_finished"]


def is_finished(settings: Settings, state: Mapping[str, Array]) -> bool:
    """Return True if no epoch is left to train in this state of a trainer, see ``Trainer.state``.

    The last epoch is over, or the validation accuracy has not improved for ``settings.early_stop`` epochs.
    """
    epoch, patience = int(state["epoch"]), settings.early_stop
    return epoch >= settings.epochs or (patience is not None and epoch - int(state["best_epoch"]) >= patience)
