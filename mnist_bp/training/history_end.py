"""End of a history (history.jsonl), read with a bound and checked, so that a damaged file is found and does no harm."""

import json
import math
from pathlib import Path
from typing import Any, TypeGuard

from mnist_bp.storage.regular_file import read_end
from mnist_bp.training.metrics import METRICS
from mnist_bp.training.run_files import HISTORY

__all__ = [
    "MOST",
    "Damaged",
    "is_count",
    "is_number",
    "last_lines",
    "parse_epoch",
    "parse_line",
    "read_curve",
    "valid_figures",
]

CURVE_BYTES = 1 << 26
"""Largest number of bytes of a history whose curve is drawn."""

MOST = 1 << 53
"""Largest whole number in a file."""


class Damaged(Exception):
    """Reason why a run is damaged."""


def last_lines(path: Path, limit: int) -> tuple[list[bytes], bool]:
    """Return the complete lines in the last bytes of a file, and True if they are all of its lines.

    A power failure may cut off the last line.
    """
    try:
        content, is_whole = read_end(path, limit)
    except OSError as error:
        raise Damaged(f"{path.name}: {error.strerror or error}") from error
    lines = content.splitlines(keepends=True)[0 if is_whole else 1 :]
    return [line for line in lines if line.endswith(b"\n")], is_whole


def parse_line(line: bytes) -> dict[str, Any]:
    """Return the record in a line. Raise Damaged if there is none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise Damaged(f"{HISTORY} is not a valid history of a run")
    return record


def parse_epoch(line: bytes) -> dict[str, Any]:
    """Return the record of an epoch. Raise Damaged if the line holds none."""
    record = parse_line(line)
    if not is_count(record.get("epoch")):
        raise Damaged(f"{HISTORY} is not a valid history of a run")
    return record


def valid_figures(record: Any) -> dict[str, float]:
    """Return the metrics in a record. Raise Damaged if one is not valid; one that is missing or null is left out."""
    if not isinstance(record, dict):
        return {}
    figures = {name: record[name] for name in METRICS if record.get(name) is not None}
    if not all(METRICS[name].holds(figure) for name, figure in figures.items()):
        raise Damaged(f"{HISTORY} is not a valid history of a run")
    return figures


def read_curve(folder: Path, name: str) -> list[tuple[int, float]]:
    """Return the epochs and the values of a metric in the history of a run; empty if it is not valid."""
    try:
        lines, _ = last_lines(folder / HISTORY, CURVE_BYTES)
        epochs = [*map(parse_epoch, lines)]
        return [(epoch["epoch"], epoch[name]) for epoch in epochs if name in valid_figures(epoch)]
    except Damaged:
        return []


def is_number(value: Any) -> TypeGuard[float]:
    """Return True for a finite number."""
    return type(value) in {int, float} and abs(value) < math.inf


def is_count(value: Any, least: int = 1) -> TypeGuard[int]:
    """Return True for a whole number from ``least`` to ``MOST``."""
    return type(value) is int and least <= value <= MOST
