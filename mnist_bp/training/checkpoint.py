"""Checkpoints (checkpoint.npz), from which a training resumes bit for bit after its last finished epoch."""

import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnist_bp import __version__
from mnist_bp.core.activations import Array
from mnist_bp.errors import InputError, listed
from mnist_bp.storage import npz
from mnist_bp.training.calculation import CALCULATION, refuse_other_calculation
from mnist_bp.training.diagnostics import Health
from mnist_bp.training.metrics import METRICS, EpochResult
from mnist_bp.training.stopping import is_finished
from mnist_bp.training.trainer import Trainer

__all__ = ["FORMAT", "Results", "read_progress", "restore", "save"]

MOST = 1 << 53
"""Largest valid number of steps or epochs, more than any computer can do."""

LATER = {"dataset", "momentum"}
"""Settings that older checkpoints may lack. They did not record the name of the dataset for MNIST and the user's files;
the digest of the training data still shows whether it is the same. Their momentum was always 0.9, as in their config.
"""

TESTED = ("test_cost", "test_accuracy")
VALIDATED = (*TESTED, "validation_cost", "validation_accuracy")
"""Metrics of a checkpoint's results that are printed at the end, without and with ``--keep best``."""

FORMAT = 2
"""Version of the file's layout. Format 1 of model.npz, without a checksum, was never used for checkpoints."""


class Results(NamedTuple):
    """Results of the last epoch, and of the epoch of the saved model."""

    last: EpochResult
    saved: EpochResult


def save(path: Path, trainer: Trainer, results: Results, identity: Mapping[str, Any]) -> None:
    """Write the trainer's state after an epoch, and the results, atomically.

    ``identity`` holds the values that must be equal to resume, see ``restore``.
    """
    version = {"format": FORMAT, "version": __version__, "calculation": CALCULATION}
    last, saved = results
    kept = {"kept": saved.record()} if trainer.settings.keep == "best" else {}
    npz.write(path, trainer.state, {**version, "identity": identity, "last": last.record(), **kept})


def read_progress(path: Path) -> npz.Archive:
    """Read a checkpoint without its trainer. The arrays that ``is_finished`` needs are valid; others may not be.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    held = npz.read(path, "checkpoint", [FORMAT])
    for name in ("epoch", "best_epoch"):
        if name not in held.arrays:
            raise InputError(f"{path}: it has no array {name}")
        _check(path, name, held.arrays[name], np.zeros((), np.int64))
    return held


def restore(
    path: Path,
    trainer: Trainer,
    identity: Mapping[str, Any],
    *,
    resumable: Collection[str] = (),
    defaults: Mapping[str, Any] | None = None,
) -> Results:
    """Restore the state of a trainer, and return the results of its last epoch and of the epoch of its saved model.

    Parameters
    ----------
    path
        File that ``save`` wrote.
    trainer
        Trainer that has not started.
    identity
        Values that must be equal, such as the data and the settings, as JSON values.
    resumable
        Names that are not compared. Older versions recorded some of them.
    defaults
        Values of names that the version that wrote the file did not know.

    Raises
    ------
    InputError
        If the file is missing or damaged, has another identity, does not fit the trainer, or was written by a version
        that would continue with other numbers.
    """
    held = npz.read(path, "checkpoint", [FORMAT])
    was = held.meta.get("identity")
    if not isinstance(was, dict):
        raise InputError(f"{path}: its metadata does not identify the training")
    was = {**(defaults or {}), **was}
    for name in {**was, **identity}:
        is_comparable = (name in was or name not in LATER) and name not in resumable
        if is_comparable and was.get(name) != identity.get(name):
            hint = "; changing --epochs requires --schedule constant from the start" if name == "epochs" else ""
            raise InputError(f"{path}: it was trained with {name} {was.get(name)!r}, not {identity.get(name)!r}{hint}")
    found, wanted = held.arrays.keys(), trainer.state.keys()
    if found != wanted:
        missing, unknown = (listed(sorted(names)) or "none" for names in (wanted - found, found - wanted))
        raise InputError(f"{path}: missing arrays: {missing}; unknown arrays: {unknown}")
    for name, array in trainer.state.items():
        _check(path, name, held.arrays[name], array)
    keeps_best = trainer.settings.keep == "best"
    needed = VALIDATED if keeps_best else TESTED
    last = saved = _result_of(path, held, "last", "epoch", needed)
    if keeps_best:
        saved = _result_of(path, held, "kept", "kept_epoch", needed)
    if not is_finished(trainer.settings, held.arrays):
        refuse_other_calculation(path.parent, held.meta, trainer.settings)
    trainer.restore(held.arrays)
    return Results(last, saved)


def _result_of(path: Path, held: npz.Archive, name: str, number: str, needed: Collection[str]) -> EpochResult:
    """Return the result with this name in the metadata.

    Raise InputError if it is not of the epoch in the array ``number``, or lacks one of the metrics ``needed``.
    """
    result = _result(held.meta.get(name))
    if result is None or result.epoch != held.arrays[number] or not result.figures.keys() >= {*needed}:
        raise InputError(f"{path}: its metadata has no valid result of the {name} epoch")
    return result


def _result(record: Any) -> EpochResult | None:
    """Return the result of an epoch from the record that ``save`` wrote, or None if a value in it is invalid.

    A metric that did not exist in the version that wrote the record is missing.
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
        raise InputError(f"{path}: {name} contains numbers that are not finite")
    if found.dtype.kind == "i" and not 0 <= found <= MOST:
        raise InputError(f"{path}: {name} is {found}; expected a whole number of 0 or more")
