"""History of a run (history.jsonl): one record for each epoch, written by the only training that has the file open."""

import json
import math
import os
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

from mnist_bp.errors import InputError
from mnist_bp.storage.atomic import lock, open_locally, sync
from mnist_bp.storage.regular_file import read_whole
from mnist_bp.training.metrics import METRICS

__all__ = ["MOST_BYTES", "History", "read_epochs"]

SYNC_SECONDS = 1.0
"""Largest age of records in seconds before they are flushed to the disk. A flush takes a considerable part of a small
epoch. Only a power failure can lose records that are not flushed."""

MOST_BYTES = 1 << 28
"""Largest size of a history in bytes, about 500,000 epochs."""

TRIES, PAUSE = 5, 0.02
"""Number of attempts to lock the file, and seconds between them: ``is_locked`` locks it for an instant."""

NO_LOCK = "{} is on a file system without locks: do not start another training that writes there"
LOST = "{} has {:,} of {:,} epochs: the others were lost, in a power failure for example; curves have gaps there"
NO_SYNC = "{} is on a file system without fsync: a power failure may damage this run"


class History:
    """Open history file, locked until ``close`` or the end of this process.

    Parameters
    ----------
    path
        Path of the file, which is created if it is missing.

    Attributes
    ----------
    warnings
        Messages to print, one for each guarantee that the file system does not give.

    Raises
    ------
    InputError
        If another training has it open, or if it is a link or no regular file.
    OSError
        If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.warnings: list[str] = []
        self._file = open_locally(path, os.O_RDWR)
        self._close = weakref.finalize(self, os.close, self._file)  # closes the file if close is never called
        self._lock()
        if not self._sync():
            self.warnings.append(NO_SYNC.format(path.parent))

    def _lock(self) -> None:
        folder = self._path.parent
        try:
            is_ours = lock(self._file)
            for _ in range(TRIES - 1):
                if is_ours:
                    break
                time.sleep(PAUSE)
                is_ours = lock(self._file)
        except OSError:
            self.warnings.append(NO_LOCK.format(folder))
            return
        if not is_ours:
            self._close()
            raise InputError(f"another training is writing to {folder}: wait until it ends, or choose another folder")

    @property
    def is_open(self) -> bool:
        """True until the file is closed."""
        return self._close.alive

    def append(self, record: Mapping[str, Any]) -> None:
        """Append a line. If it cannot be written completely, leave the file unchanged."""
        rest = memoryview(f"{json.dumps(record)}\n".encode())
        size = os.lseek(self._file, 0, os.SEEK_END)  # not every network file system supports O_APPEND
        try:
            while rest:  # usually once: a partial write means that the disk is full, and the next one raises
                rest = rest[os.write(self._file, rest) :]
            if time.monotonic() - self._synced >= SYNC_SECONDS:
                self._sync()
        except BaseException:
            with suppress(OSError):  # the original error is the one to report
                os.ftruncate(self._file, size)
            raise

    def keep(self, epochs: int) -> None:
        """Truncate the file to the first lines of at most ``epochs`` epochs, without one that a power failure cut off.

        If there are fewer lines than epochs, ``warnings`` says so.
        """
        lines = read_whole(self._path, MOST_BYTES).splitlines(keepends=True)[:epochs]
        kept = [*takewhile(lambda line: line.endswith(b"\n") and _epoch_in(line) <= epochs, lines)]
        os.ftruncate(self._file, sum(map(len, kept)))
        self._sync()
        if len(kept) < epochs:
            self.warnings.append(LOST.format(self._path, len(kept), epochs))

    def flush(self) -> None:
        """Flush the file to the disk."""
        self._sync()

    def close(self) -> None:
        """Flush the file to the disk, and release the lock."""
        try:
            if self.is_open:
                self._sync()
        finally:
            self._close()

    def _sync(self) -> bool:
        self._synced = time.monotonic()
        return sync(self._file)


def _epoch_in(line: bytes) -> int:
    """Return the epoch of a record; 0 if the line is not valid, which ``read_epochs`` reports."""
    try:
        epoch = json.loads(line)["epoch"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return 0
    return epoch if type(epoch) is int else 0


def read_epochs(path: Path) -> list[dict[str, Any]]:
    """Return the records of all epochs, see ``EpochResult.record``. If there is no file, return an empty list.

    Raises
    ------
    InputError
        If the file cannot be read, or is not a valid history.
    """
    if not os.path.lexists(path):
        return []
    try:
        lines = read_whole(path, MOST_BYTES).decode().splitlines(keepends=True)
        records = [json.loads(line) for line in lines if line.endswith("\n")]  # a power failure may cut off the last
        layers = {len(record["health"]["gradient_norm"]) for record in records}
        has_gap = any(records[0].keys() - record.keys() for record in records)
        is_sound = all(map(_is_sound, records)) and len(layers) <= 1 and not has_gap
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        is_sound = False
    if not is_sound:
        raise InputError(f"{path} is not a valid history of a run")
    return records


def _is_sound(record: dict[str, Any]) -> bool:
    """Return True if the values of a record can be plotted. A record of an older version may lack some."""
    figures = all(metric.holds(record[name]) for name, metric in METRICS.items() if name in record)
    return figures and all(map(math.isfinite, [record["epoch"], *record["health"]["gradient_norm"]]))
