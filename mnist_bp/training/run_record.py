"""Record of a run (run.json): its name, its start, and how it ended.

The file is written when a run starts or resumes, and again when its training ends. A training that is killed leaves it
without an end. Versions before 0.4.0 did not write it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mnist_bp.errors import InputError
from mnist_bp.storage.atomic import write_text
from mnist_bp.storage.regular_file import read_whole
from mnist_bp.training.run_files import RECORD

__all__ = ["read_record", "write_record"]

LIMIT = 1 << 20
"""Largest number of bytes of the file."""


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record of a run, or an empty one if there is no file.

    Raises
    ------
    InputError
        If the file is not valid or cannot be read.
    """
    path = folder / RECORD
    try:
        record = json.loads(read_whole(path, LIMIT))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("end") or {}, dict):
        raise InputError(f"{path} is not a valid record of a run")
    return record


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the record of a run atomically."""
    write_text(folder / RECORD, json.dumps(record, allow_nan=False) + "\n")
