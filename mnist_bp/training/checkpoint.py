"""checkpoint.npz: all that a training needs to go on from its last finished epoch, bit for bit."""

import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mnist_bp import __version__
from mnist_bp.core.activations import Array
from mnist_bp.errors import InputError
from mnist_bp.storage import npz
from mnist_bp.training.diagnostics import Health
from mnist_bp.training.metrics import METRICS, EpochResult
from mnist_bp.training.trainer import Trainer

__all__ = ["FORMAT", "restore", "save"]

MOST = 1 << 53
"""Of the steps and epochs that a training has had: more than any computer will do."""

LATER = {"dataset"}
"""Settings that older checkpoints may lack. What a run on MNIST or on the user's files was trained on was not recorded
by name; the digest of the training data still tells whether they are the same."""

FORMAT = 2
"""Version of the file's layout; files of model.npz's format 1, without a sum, are no checkpoints."""


def save(path: Path, trainer: Trainer, last: EpochResult, identity: Mapping[str, Any]) -> None:
    """Write the trainer's state after an epoch, and what that came to, whole or not at all.

    ``identity`` says what it may go on with, see ``restore``.
    """
    npz.write(
        path, trainer.state, {"format": FORMAT, "version": __version__, "identity": identity, "last": last.record()}
    )


def restore(
    path: Path, trainer: Trainer, identity: Mapping[str, Any], *, resumable: Collection[str] = ()
) -> EpochResult:
    """Let a new trainer go on where that one was; what its last epoch came to.

    ``identity`` is what has to be the same for that, the data and the recipe, say, as JSON values. Names that
    ``resumable`` are not compared: older versions recorded some of them.

    Raises
    ------
    InputError
        If the file is missing, damaged, of another identity, or does not fit the trainer.
    """
    held = npz.read(path, "checkpoint", [FORMAT])
    was = held.meta.get("identity")
    if not isinstance(was, dict):
        raise InputError(f"{path}: it does not say what it was training")
    for name in {**was, **identity}:
        is_comparable = (name in was or name not in LATER) and name not in resumable
        if is_comparable and was.get(name) != identity.get(name):
            hint = "; a --schedule but constant runs over all epochs from the start" if name == "epochs" else ""
            raise InputError(
                f"{path}: it was training with {name} {was.get(name)!r}; here it is {identity.get(name)!r}{hint}"
            )
    if set(held.arrays) != set(trainer.state):
        raise InputError(f"{path}: it should hold {', '.join(trainer.state)}, and holds {', '.join(held.arrays)}")
    for name, array in trainer.state.items():
        _check(path, name, held.arrays[name], array)
    last = _result(held.meta.get("last"))
    if last is None or last.epoch != held.arrays["epoch"]:
        raise InputError(f"{path}: it does not say what its last epoch came to")
    trainer.restore(held.arrays)
    return last


def _result(record: Any) -> EpochResult | None:
    """Return what an epoch came to, as ``save`` wrote it; None if something in the record is no figure.

    A figure that the version which wrote the record did not compute is absent.
    """
    try:
        health = Health.from_record(record["health"])
        figures = {name: record[name] for name in METRICS if record.get(name) is not None}
        lists = (health.saturated or (), health.dead or (), health.gradient_norm, health.never_predicted)
        numbers = [record["epoch"], *(number for part in lists for number in part)]
        is_sound = all(type(number) in {int, float} and abs(number) <= sys.float_info.max for number in numbers)
        is_sound = is_sound and all(METRICS[name].holds(figure) for name, figure in figures.items())
    except (KeyError, TypeError, AttributeError):
        return None
    return EpochResult(record["epoch"], figures, health) if is_sound else None


def _check(path: Path, name: str, found: Array, expected: Array) -> None:
    if (found.shape, found.dtype) != (expected.shape, expected.dtype):
        raise InputError(f"{path}: {name} is {found.dtype} {found.shape}, not {expected.dtype} {expected.shape}")
    if not np.isfinite(found).all():
        raise InputError(f"{path}: {name} holds numbers that are not finite")
    if found.dtype.kind == "i" and not 0 <= found <= MOST:
        raise InputError(f"{path}: {name} is {found}, which is no count")
