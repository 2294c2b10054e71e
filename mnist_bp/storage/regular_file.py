"""Bounded reads of regular files only: a FIFO or a device in place of a file neither blocks nor fills the memory."""

import os
import stat
from pathlib import Path

__all__ = ["read_end", "read_whole"]


def read_whole(path: Path, limit: int) -> bytes:
    """Return the content of a regular file of at most ``limit`` bytes.

    Raises
    ------
    OSError
        If it cannot be read, is no regular file, or is larger.
    """
    content, is_whole = read_end(path, limit)
    if not is_whole:
        raise OSError(None, f"it is larger than {limit:,} bytes")
    return content


def read_end(path: Path, limit: int) -> tuple[bytes, bool]:
    """Return the last ``limit`` bytes of a regular file, and True if that is the whole file.

    Raises
    ------
    OSError
        If it cannot be read, or is no regular file.
    """
    # O_NONBLOCK: a FIFO that replaces the file after the first check does not block either.
    _require_regular(path.stat())
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - of a descriptor
        found = os.fstat(file.fileno())
        _require_regular(found)
        file.seek(max(0, found.st_size - limit))
        return file.read(limit), found.st_size <= limit


def _require_regular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(None, "it is not a regular file")
