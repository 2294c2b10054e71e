"""Folder of a search: its study, the config of the best trial, and figures."""

import time
from pathlib import Path

from mnist_bp.errors import InputError
from mnist_bp.storage.atomic import numbered_folder, storing

__all__ = ["ATTRIBUTE", "BEST", "GRACE", "SEARCHES", "STUDY", "create_folder"]

SEARCHES = Path("searches")
"""Folder of all searches, in the working folder."""

STUDY, BEST = "study.db", "best.toml"
"""Files of a search: the study, unless another storage has it, and the config of the best trial."""

ATTRIBUTE = "search"
"""User attribute of a study with its record."""

GRACE = 40
"""Seconds without a sign of life after which a running trial counts as failed."""


def create_folder(output: Path | None) -> Path:
    """Create the folder of a new search and return it. Default: ``searches/<time>``.

    Raises
    ------
    InputError
        If ``output`` is a file, or is not empty.
    StorageError
        If it cannot be created.
    """
    if output is None:
        with storing(SEARCHES):
            return numbered_folder(SEARCHES, time.strftime("%Y%m%d-%H%M%S"))
    if output.exists() and not output.is_dir():
        raise InputError(f"{output} is a file: --output requires a folder")
    if output.is_dir() and any(output.iterdir()):
        raise InputError(f"{output} is not empty: choose another --output, or continue a search with --resume")
    with storing(output):
        output.mkdir(parents=True, exist_ok=True)
    return output
