"""Rules for data folders: which folder a command may read or download to, and which dataset in it is used."""

import os
from pathlib import Path
from typing import NamedTuple

from mnist_bp.data.formats import Finding, Found, recognize
from mnist_bp.data.layouts import EXPECTED
from mnist_bp.data.names import DEFAULT, OWN, DatasetName
from mnist_bp.errors import InputError

__all__ = ["DATA_DIR", "VARIABLE", "Location", "locate", "require_data_folder"]

DATA_DIR = "--data-dir"
VARIABLE = "MNIST_BP_DATA"


class Location(NamedTuple):
    """Name and location of the dataset to use.

    Attributes
    ----------
    name
        Name of the dataset.
    found
        Files of the dataset. None if they must be downloaded.
    cache
        Folder that a published dataset may be downloaded to. None if the files are the user's, which are only read.
    """

    name: DatasetName
    found: Found | None
    cache: Path | None


def require_data_folder(folder: Path, named_in: str, *, may_create: bool = False) -> Finding:
    """Return the contents of a data folder, after checking that it is valid.

    Parameters
    ----------
    folder
        Data folder.
    named_in
        Origin of its name: ``DATA_DIR``, ``VARIABLE``, the path of a config or a model, or "" for the user's cache.
    may_create
        True if the folder may be missing.

    Raises
    ------
    InputError
        If it does not exist, is a file, cannot be read, or contains files but no dataset. The user's cache may contain
        anything.
    """
    subject = f"{named_in} {folder}" if named_in in {DATA_DIR, VARIABLE, ""} else f"{folder}, which {named_in} names,"
    if not os.path.exists(folder):  # noqa: PTH110 - see ``recognize``
        if may_create:
            return Finding()
        remedy = "expected a folder with a dataset, or an empty one to download to"
        if named_in != DATA_DIR:
            remedy = "if the data has moved, give its folder with --data-dir"
        raise InputError(f"{subject} does not exist; {remedy}")
    try:
        finding = recognize(folder)
    except NotADirectoryError:
        raise InputError(f"{subject} is a file of an unknown format; expected {EXPECTED}") from None
    except OSError as error:
        raise InputError(f"{subject} cannot be read: {error.strerror or error}") from error
    if named_in and not finding.is_recognised:
        if finding.problem:
            raise InputError(finding.problem)
        raise InputError(
            f"{subject} holds no dataset, but {finding.holds}. Expected {EXPECTED}; or an empty folder to download to"
        )
    return finding


def locate(name: DatasetName | None, folder: Path, finding: Finding) -> Location:
    """Choose the dataset in a data folder: the one with this name, or, without a name, MNIST, else the only dataset.

    Files without a name in their layout match any name. Raise InputError if the user's folder does not contain the
    dataset, or contains several and no name is given.
    """
    may_download = finding.is_empty or finding.is_cache or not finding.is_recognised
    found = _choose(name, finding, may_download=may_download)
    wanted = name or (found.name if found else DEFAULT)
    if found is not None and not (found.may_be_cached and found.folder == folder / wanted):
        return Location(wanted, found, None)
    if wanted == OWN:
        raise InputError(f"--dataset {OWN} requires --data-dir with {EXPECTED}; {folder} holds none of them")
    if found is None and not may_download:
        held = finding.problem or f"{folder} does not hold {wanted}, but {_names(finding)}"
        raise InputError(f"{held}; choose another --dataset or --data-dir")
    return Location(wanted, found, folder / wanted)


def _choose(name: DatasetName | None, finding: Finding, *, may_download: bool) -> Found | None:
    own = finding.named(OWN)
    if name is not None:
        return finding.named(name) or own
    if found := finding.named(DEFAULT) or own:
        return found
    if may_download:
        return None
    if len({found.name for found in finding.datasets}) > 1:
        raise InputError(f"--data-dir holds several datasets: {_names(finding)}; choose one with --dataset")
    return finding.datasets[0]


def _names(finding: Finding) -> str:
    return ", ".join(dict.fromkeys(found.name for found in finding.datasets))
