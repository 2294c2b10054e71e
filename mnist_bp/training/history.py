"""history.jsonl: a record for each epoch, added by the one training that has the file open."""

import json
import math
import os
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mnist_bp.errors import InputError
from mnist_bp.storage.atomic import lock, sync
from mnist_bp.training.metrics import METRICS

__all__ = ["History", "read_epochs"]

SYNC_SECONDS = 1.0
"""Records may be so old before they are forced to the disk, which takes as long as a part of a small epoch. Until then
they are safe from everything but a power failure."""

NO_LOCK = "{} is on a file system without locks: start no second training that writes there"
NO_SYNC = "{} is on a file system without fsync: a power failure may damage this run"


class History:
    """The file, open and locked until ``close``, or until this process ends.

    Parameters
    ----------
    path
        Made if it is missing.

    Attributes
    ----------
    warnings
        Lines for people: one for each guarantee that the file system does not give.

    Raises
    ------
    InputError
        If another training has it open.
    OSError
        If the disk does not take it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.warnings: list[str] = []
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        self._close = weakref.finalize(self, os.close, self._file)  # also for those whom nobody closes
        self._lock()
        if not self._sync():
            self.warnings.append(NO_SYNC.format(path.parent))

    def _lock(self) -> None:
        folder = self._path.parent
        try:
            is_ours = lock(self._file)
        except OSError:
            self.warnings.append(NO_LOCK.format(folder))
            return
        if not is_ours:
            self._close()
            raise InputError(f"another training writes into {folder} now: let it end, or choose another folder")

    @property
    def is_open(self) -> bool:
        """Whether it is open still."""
        return self._close.alive

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a line: whole, or, if the disk does not take it, not at all."""
        rest = memoryview(f"{json.dumps(record)}\n".encode())
        size = os.lseek(self._file, 0, os.SEEK_END)  # not every network file system has O_APPEND
        try:
            while rest:  # once: a disk that takes only a part has no room
                rest = rest[os.write(self._file, rest) :]
            if time.monotonic() - self._synced >= SYNC_SECONDS:
                self._sync()
        except BaseException:
            with suppress(OSError):  # the error that brought us here is the one to tell
                os.ftruncate(self._file, size)
            raise

    def keep(self, lines: int) -> None:
        """Forget all but the first so many lines, and what a power failure has left of one more."""
        kept = self._path.read_bytes().splitlines(keepends=True)[:lines]
        os.ftruncate(self._file, sum(len(line) for line in kept if line.endswith(b"\n")))
        self._sync()

    def close(self) -> None:
        """Have it on disk, and let others write."""
        try:
            if self.is_open:
                self._sync()
        finally:
            self._close()

    def _sync(self) -> bool:
        self._synced = time.monotonic()
        return sync(self._file)


def read_epochs(path: Path) -> list[dict[str, Any]]:
    """Return the records of all epochs, see ``EpochResult.record``; none, if there is no file.

    Raises
    ------
    InputError
        If it cannot be read, or does not hold what a training writes.
    """
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        records = [json.loads(line) for line in lines if line.endswith("\n")]  # a power failure may cut off the last
        layers = {len(record["health"]["gradient_norm"]) for record in records}
        has_gap = any(records[0].keys() - record.keys() for record in records)
        is_sound = all(map(_is_sound, records)) and len(layers) <= 1 and not has_gap
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        is_sound = False
    if not is_sound:
        raise InputError(f"{path} does not tell of a run's epochs, as a training writes it")
    return records


def _is_sound(record: dict[str, Any]) -> bool:
    """Return whether the figures of a record can be drawn; those of an older version may lack some."""
    figures = all(metric.holds(record[name]) for name, metric in METRICS.items() if name in record)
    return figures and all(map(math.isfinite, [record["epoch"], *record["health"]["gradient_norm"]]))
