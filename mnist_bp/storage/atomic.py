"""Files that appear whole or not at all, and files that one process at a time writes to."""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mnist_bp.errors import StorageError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = [
    "atomic_write",
    "lock",
    "new_folder",
    "remove_parts",
    "storing",
    "sync",
    "sync_folder",
    "write_text",
]

LOCKED_BYTE = 1 << 30
"""What Windows locks of a file: a byte far behind its end, so that everyone can still read all that there is."""

NO_FSYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""Errors by which fsync reports that a file system does not have it, and not that data were lost."""


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a uniquely named file beside ``path``; it takes the place of ``path`` when the block ends without an error.

    Readers see the old file or the new one, never a part, whatever happens in between; an error leaves no trace. So it
    is after a power failure, if the file system has fsync; then ``sync_folder`` has seen to it that it is the new one.
    """
    # A link stays one: what it points to is replaced. (Python 3.11's Path.resolve raises where links run in a circle.)
    path = Path(os.path.realpath(path))
    part = path.parent / f".{path.name[:40]}.{os.urandom(8).hex()}.part"
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            sync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):  # the error that brought us here is the one to tell
            part.unlink()
        raise


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """A block that writes ``path``; StorageError if the disk does not take it."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error


def sync(descriptor: int) -> bool:
    """Force an open file to the disk; return whether its file system can do that.

    Raises
    ------
    OSError
        If it can, and it failed: the disk is full, say.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno in NO_FSYNC:
            return False
        raise
    return True


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A block that may create ``folder``; if it fails, what was created and is still empty is removed."""
    missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    try:
        yield folder
    except BaseException:
        for each in missing:
            with suppress(OSError):  # it was not created, or something has come into it
                each.rmdir()
        raise


def sync_folder(folder: Path) -> None:
    """Have on disk which files ``folder`` holds now, where the system can say so (Windows cannot)."""
    if sys.platform == "win32":
        return
    with suppress(OSError):  # a folder that may not be read; a network file system. Its files are whole in any case
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def lock(descriptor: int) -> bool:
    """Lock an open file, unless another has it locked (also in this process); whether nobody had.

    The lock ends when the file is closed, and so with the process, even if that is killed: nothing is ever left locked.

    Raises
    ------
    OSError
        If the file system has no locks.
    """
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # what Linux and macOS raise; what Windows does
        return False
    return True


def remove_parts(folder: Path, *, older_than: float = 0) -> None:
    """Remove what killed processes have left of their ``atomic_write`` in ``folder``, last written so many seconds ago.

    Parts of a process that lives go too, if they are that old: its ``atomic_write`` then ends in FileNotFoundError.
    """
    for part in folder.glob(".*.part"):
        with suppress(OSError):  # gone already, or (on Windows) still open
            if time.time() - part.stat().st_mtime >= older_than:
                part.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a whole UTF-8 text file atomically."""
    with atomic_write(path) as file:
        file.write(text.encode())
