"""Names of a run's files, and the run that a path on the command line names."""

import os
from contextlib import suppress
from pathlib import Path

from mnist_bp.errors import InputError
from mnist_bp.shell import program, program_command

__all__ = [
    "CHECKPOINT",
    "CONFIG",
    "HISTORY",
    "LATEST",
    "MODEL",
    "RUNS",
    "find_config",
    "find_model",
    "find_run",
    "holds_runs",
]

RUNS = Path("runs")
"""Where runs go that are given no folder, and where the file ``latest`` names the run that was saved last."""

LATEST = RUNS / "latest"
CONFIG, HISTORY, CHECKPOINT, MODEL = "config.toml", "history.jsonl", "checkpoint.npz", "model.npz"

DRAWN = {".html", ".png", ".svg"}
"""Suffixes of the page and of the pictures that commands write into the folder of a run."""

LONGEST_PATH = 1 << 15
"""Bytes that are read of ``latest``: more than any system allows for a path."""

EXPECTED = f"a file of a run, or {LATEST.as_posix()}"
"""Accepted wherever a run is, besides its folder."""


def find_run(target: Path) -> Path:
    """Return the folder of the run that ``target`` names: the folder, a file that belongs to the run, or ``latest``.

    Raises
    ------
    InputError
        If it names none.
    """
    folder = _folder_of(target)
    if folder is None or not (folder / CONFIG).is_file():
        raise InputError(f"{_named(target, folder)} is not a run: expected a folder with a {CONFIG}, {EXPECTED}")
    return folder


def find_config(target: Path) -> Path:
    """Return the config of the run that ``target`` names; a file that names no run stands for itself."""
    return find_run(target) / CONFIG if _folder_of(target) else target


def find_model(target: Path | None) -> Path:
    """Return the model file of the run that ``target`` names, or of the latest one; a model file stands for itself.

    Raises
    ------
    InputError
        If there is none.
    """
    if target is None:
        target = LATEST
        if LATEST.is_dir():
            raise InputError(f"{LATEST} is a folder, not the file that names the latest run: name a RUN or a MODEL")
        if not LATEST.is_file():
            raise InputError(
                f"there is no run in {RUNS.resolve()} yet: {program()} train makes one; or name a RUN or a MODEL"
            )
    folder = _folder_of(target)
    path = target if folder is None else folder / MODEL
    if not path.is_file():
        if folder is not None and (folder / CONFIG).is_file():
            raise InputError(_why_there_is_no_model(folder))
        raise InputError(
            f"{_named(target, folder)} is not a model: expected a {MODEL}, the folder of a run, {EXPECTED}"
        )
    return path


def _folder_of(target: Path) -> Path | None:
    """Return the folder, perhaps of a run, that ``target`` names; None if it is another file, or none."""
    if target.is_dir():
        return target
    if not target.is_file():
        return None
    if target.name == LATEST.name:
        return _follow(target)
    belongs = target.name in {CONFIG, HISTORY, CHECKPOINT, MODEL} or target.suffix in DRAWN
    return target.parent if belongs and (target.parent / CONFIG).is_file() else None


def _follow(latest: Path) -> Path:
    """Return the folder that the file ``latest`` names; InputError if there is none."""
    with latest.open("rb") as file:
        name = os.fsdecode(file.read(LONGEST_PATH))
    folder = latest.parent / name
    with suppress(OSError):  # the name is too long: a damaged file
        if folder.is_dir():
            return folder
    raise InputError(f"{latest} names {name[:100]}, which is not a folder: name a RUN or a MODEL")


def _named(target: Path, found: Path | None) -> str:
    """Return what a message calls a target: with what it leads to, if that is another path."""
    return str(target) if found in {None, target} else f"{target} ({found})"


def _why_there_is_no_model(run: Path) -> str:
    if holds_runs(run):
        return f"{run} holds several runs: name one of them, one of the folders in it"
    return (
        f"there is no {MODEL} in {run} yet: its training is still running, or was cut off; then "
        f"{program_command('train', '--resume', run)} goes on with it"
    )


def holds_runs(folder: Path) -> bool:
    """Return whether the folder is that of ``train --seeds``."""
    return any(folder.glob(f"*/{CONFIG}"))
