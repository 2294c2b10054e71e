"""Rules for the end of a training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mnist_bp.core.activations import Array
from mnist_bp.errors import InputError
from mnist_bp.training.settings import Settings

__all__ = ["is_finished", "refuse_less_patience"]


def is_finished(settings: Settings, state: Mapping[str, Array]) -> bool:
    """Return True if no epoch is left to train in this state of a trainer, see ``Trainer.state``.

    The last epoch is over, or the validation accuracy has not improved for ``settings.early_stop`` epochs.
    """
    epoch, patience = int(state["epoch"]), settings.early_stop
    return epoch >= settings.epochs or (patience is not None and epoch - int(state["best_epoch"]) >= patience)


def refuse_less_patience(folder: Path, config: Mapping[str, Any], settings: Settings) -> None:
    """Raise InputError if a run would have stopped earlier with the early stop of ``settings``.

    Parameters
    ----------
    folder, config
        Folder of the run to resume, and its config so far.
    """
    before, now = config.get("early-stop"), settings.early_stop
    if now is not None and (before is None or now < before):
        had = "no --early-stop" if before is None else f"--early-stop {before}"
        raise InputError(f"{folder} was trained with {had}, not {now}: --resume can only raise a given --early-stop")
