"""Lookup of a run by a path or a name from the command line."""

import os
from contextlib import suppress
from pathlib import Path

from mnist_bp.errors import InputError
from mnist_bp.shell import program, program_command
from mnist_bp.storage.regular_file import open_regular
from mnist_bp.training.config_file import read_config
from mnist_bp.training.run_files import CHECKPOINT, CONFIG, HISTORY, LATEST, MODEL, RECORD, RUNS
from mnist_bp.training.run_names import find_named

__all__ = [
    "DRAWN",
    "LONGEST_PATH",
    "MOST_SEEDS",
    "find_config",
    "find_model",
    "find_models",
    "find_run",
    "holds_runs",
]

DRAWN = {".html", ".png", ".svg"}
"""Suffixes of the page and the plots that commands write to a run folder."""

LONGEST_PATH = 1 << 15
"""Largest number of bytes to read from ``latest``, more than any system allows for a path."""

MOST_SEEDS = 10_000
"""Largest number of networks of ``train --seeds``."""

EXPECTED = f"a file or the name of a run, or {LATEST.as_posix()}"
"""Description, for errors, of what else is accepted in place of a run folder."""


def find_run(target: Path) -> Path:
    """Return the run folder for ``target``: the folder itself, a file of a run, ``latest``, or the name of a run.

    A path has precedence over a name.

    Raises
    ------
    InputError
        If ``target`` does not belong to a run.
    """
    folder = _folder_of(target)
    if folder is None or not (folder / CONFIG).is_file():
        if folder is not None and folder.is_dir():
            raise InputError(f"{_named(target, folder)} is not a run folder: it has no {CONFIG}")
        raise InputError(f"{_named(target, folder)} is not a run: expected a folder with a {CONFIG}, {EXPECTED}")
    return folder


def find_config(target: Path) -> Path:
    """Return the config of the run for ``target``. A file that does not belong to a run is itself a config."""
    return find_run(target) / CONFIG if _folder_of(target) else target


def find_model(target: Path | None) -> Path:
    """Return the model file of the run for ``target``, or of the latest run. A model file is returned unchanged.

    Raises
    ------
    InputError
        If there is none.
    """
    if target is None:
        target = LATEST
        if LATEST.is_dir():
            raise InputError(f"{LATEST} is a folder; expected a file with the latest run: give a RUN or a MODEL")
        if not LATEST.is_file():
            raise InputError(
                f"no run in {RUNS.resolve()} yet: create one with {program()} train, or give a RUN or a MODEL"
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


def find_models(target: Path | None) -> list[Path]:
    """Return the model files of all seeds for the folder of ``train --seeds``; otherwise the one of ``find_model``.

    Raises
    ------
    InputError
        If there is none, or if a seed has none yet.
    """
    folder = None if target is None else _folder_of(target)
    if folder is None or not (folder / CONFIG).is_file() or (folder / MODEL).exists() or not holds_runs(folder):
        return [find_model(target)]
    models = [each / MODEL for each in _seed_folders(folder)]
    for model in models:
        if not model.is_file():
            raise InputError(
                f"no {MODEL} in {model.parent} yet: its training was not finished; "
                f"to resume it: {program_command('train', '--resume', folder)}"
            )
    return models


def _seed_folders(series: Path) -> list[Path]:
    """Return the folders of all seeds in the config of ``train --seeds``, in their order."""
    config = series / CONFIG
    settings = read_config(config)
    match settings.get("seeds"), settings.get("seed", 0):
        case int(seeds), int(first) if 1 <= seeds <= MOST_SEEDS:
            return [series / f"seed-{seed}" for seed in range(first, first + seeds)]
    raise InputError(f"{config} does not list the seeds of its runs: name the folder of each run")


def _folder_of(target: Path) -> Path | None:
    """Return the possible run folder for ``target``, or None if it is another file or does not exist."""
    if not os.path.exists(target):  # noqa: PTH110 - false also for a name that is too long
        target = find_named(target) or target
    if target.is_dir():
        return target
    if not target.is_file():
        return None
    if target.name == LATEST.name:
        return _follow(target)
    belongs = target.name in {CONFIG, RECORD, HISTORY, CHECKPOINT, MODEL} or target.suffix in DRAWN
    return target.parent if belongs and (target.parent / CONFIG).is_file() else None


def _follow(latest: Path) -> Path:
    """Return the folder named in the file ``latest``. Raise InputError if it does not exist."""
    try:
        with open_regular(latest) as file:
            name = os.fsdecode(file.read(LONGEST_PATH))
    except OSError as error:
        raise InputError(f"{latest} cannot be read ({error.strerror or error}): give a RUN or a MODEL") from error
    folder = latest.parent / name
    with suppress(OSError):  # the name is too long: a damaged file
        if folder.is_dir():
            return folder
    raise InputError(f"{latest} names {name[:100]}, which is not a folder: give a RUN or a MODEL")


def _named(target: Path, found: Path | None) -> str:
    """Return the name of a target for messages, followed by the path that it refers to, if different."""
    return str(target) if found in {None, target} else f"{target} ({found})"


def _why_there_is_no_model(run: Path) -> str:
    if holds_runs(run):
        return f"{run} contains several runs: choose one of its folders"
    return (
        f"no {MODEL} in {run} yet: its training is still running, or was interrupted; "
        f"to resume it: {program_command('train', '--resume', run)}"
    )


def holds_runs(folder: Path) -> bool:
    """Return True for the folder of ``train --seeds``."""
    return any(folder.glob(f"*/{CONFIG}"))
