"""Version of the calculation, and the settings whose results differ from those of older versions.

A run resumes only if it ends as it would have ended in the version that began it. Versions of the program do not
distinguish calculations, so each checkpoint records the version of its calculation.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mnist_bp import __version__
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.data.names import NO_AUGMENTATION
from mnist_bp.errors import InputError
from mnist_bp.shell import program_command
from mnist_bp.training.settings import Settings

__all__ = ["CALCULATION", "CHANGES", "Change", "refuse_other_calculation"]

CALCULATION = 3
"""Version of the calculation. Increase it, and add to ``CHANGES``, whenever a training's parameters change."""

FIRST = {"calculation": 1, "version": "0.1.0"}
"""Entries of the first checkpoints, which do not record them."""


class Change(NamedTuple):
    """A change of the calculation.

    Attributes
    ----------
    since
        First version of the calculation that has it.
    what
        Noun for the part that is computed in another way.
    affects
        Function of the settings, True if they give other parameters than before.
    only_at_start
        True if trainings that have begun are not affected.
    """

    since: int
    what: str
    affects: Callable[[Settings], bool]
    only_at_start: bool = False


def _has_sigmoids(settings: Settings) -> bool:
    outputs = COSTS[settings.cost].output_activation
    return outputs == "sigmoid" or (settings.activation == "sigmoid" and settings.hidden != ())


def _had_gain(settings: Settings) -> bool:
    """Return True if the gain of the first hidden layer was that of its activation; it is 1 now."""
    return settings.hidden != () and ACTIVATIONS[settings.activation].gain != 1


CHANGES = (
    Change(2, "sigmoids", _has_sigmoids),
    Change(2, "initial weights", _had_gain, only_at_start=True),
    Change(2, "dropout", lambda settings: bool(settings.dropout or settings.input_dropout)),
    Change(2, "averages", lambda settings: bool(settings.average)),
    Change(2, "augmentation", lambda settings: settings.augment != NO_AUGMENTATION),
    Change(2, "the one-cycle schedule", lambda settings: settings.schedule == "one-cycle"),
    Change(3, "Adam", lambda settings: settings.optimizer == "adam"),
)
"""All changes of the calculation since its first version."""


def refuse_other_calculation(
    folder: Path, meta: Mapping[str, Any], settings: Settings, *, from_start: bool = False
) -> None:
    """Raise InputError if a run would not end as in the version that wrote its checkpoint.

    Parameters
    ----------
    folder
        Folder to name in the message: of the run, or of the runs of several seeds.
    meta
        Metadata of the checkpoint.
    settings
        Settings of the run.
    from_start
        True if a training begins as well, whose result must be that of the older version, too.
    """
    calculation, version = (meta.get(name, FIRST[name]) for name in ("calculation", "version"))
    if calculation not in range(1, CALCULATION + 1):
        raise InputError(
            f"cannot resume {folder}: mnist-bp {__version__} does not know its calculation, version {calculation!r}; "
            f"resume it with mnist-bp {version}"
        )
    later = (change for change in CHANGES if calculation < change.since and (from_start or not change.only_at_start))
    if changed := [change.what for change in later if change.affects(settings)]:
        raise InputError(
            f"cannot resume {folder}: mnist-bp {version}, which wrote it, computed {_listed(changed)} differently; use "
            f"that version, or train anew: {program_command('train', '--config', folder)}"
        )


def _listed(words: list[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
