"""Bounded reads of regular files only: a FIFO or a device in place of a file neither blocks nor fills the memory."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

__all__ = ["open_regular", "read_end", "read_whole"]


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading.

    Raises
    ------
    OSError
        If it cannot be read, or is no regular file, such as a FIFO, a device or a folder.
    """
    _require_regular(path.stat(), path)
    # O_NONBLOCK: a FIFO that replaces the file after the first check does not block either.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = open(os.open(path, flags), "rb")  # noqa: PTH123, SIM115 - of a descriptor
    try:
        _require_regular(os.fstat(file.fileno()), path)
    except BaseException:
        file.close()
        raise
    return file


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
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - limit))
        return file.read(min(size, limit)), size <= limit  # reading allocates what it is asked for


def _require_regular(found: os.stat_result, path: Path) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(None, "it is not a regular file")
