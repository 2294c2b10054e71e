"""Atomic file writes, file locks, and folders that are removed again if a block fails."""

import errno
import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

from mnist_bp.errors import InputError, StorageError
from mnist_bp.storage.regular_file import open_regular

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = [
    "PART",
    "atomic_write",
    "is_locked",
    "lock",
    "make_folder",
    "new_folder",
    "numbered_folder",
    "open_locally",
    "remove_parts",
    "storing",
    "sync",
    "sync_folder",
    "write_text",
]

LOCKED_BYTE = 1 << 30
"""Offset of the byte that Windows locks. It is far beyond the end of the file, which therefore stays readable."""

NO_FSYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""Error numbers by which fsync reports that a file system does not support it. They do not mean lost data."""


PART = re.compile(r"\..{1,40}\.[0-9a-f]{16}\.part", re.DOTALL)
"""Names of the temporary files of ``atomic_write``."""


@contextmanager
def atomic_write(path: Path, *, follow: bool = False) -> Iterator[BinaryIO]:
    """Open a uniquely named file beside ``path``, which replaces ``path`` when the block ends without an error.

    Readers see the old file or the new one, never a part of it. An error removes the new file. After a power failure,
    this still holds if the file system supports fsync, and ``sync_folder`` makes sure that the new file is the one
    left. The new file has the permissions of the old one.

    A symbolic link at ``path`` is replaced, and its target stays as it is: in the folder of a run or of a dataset,
    the user may not have made the link. ``follow`` is for paths that the user names: the target is replaced.
    """
    if follow:  # Python 3.11's Path.resolve raises if links form a cycle
        path = Path(os.path.realpath(path))
    part = path.parent / f".{path.name[:40]}.{os.urandom(8).hex()}.part"
    try:
        with part.open("xb") as file:
            _copy_mode(path, part)
            yield file
            file.flush()
            sync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):  # the original error is the one to report
            part.unlink()
        raise


def _copy_mode(path: Path, part: Path) -> None:
    with suppress(OSError):  # there is no file yet, or a file system without permissions
        found = path.lstat()
        if stat.S_ISREG(found.st_mode) and sys.platform != "win32":
            part.chmod(stat.S_IMODE(found.st_mode) & 0o777)


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn an OSError of the block, which writes ``path``, into a StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error


def sync(descriptor: int) -> bool:
    """Flush an open file to the disk. Return False if its file system does not support that.

    Raises
    ------
    OSError
        If the flush fails, for example because the disk is full.
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
    """Let the block create ``folder``. If the block fails, remove the folders that it created and left empty."""
    missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    try:
        yield folder
    except BaseException:
        for each in missing:
            with suppress(OSError):  # it was never created, or it is not empty
                each.rmdir()
        raise


def sync_folder(folder: Path) -> None:
    """Flush the list of files in ``folder`` to the disk, on systems that support it (Windows does not)."""
    if sys.platform == "win32":
        return
    with suppress(OSError):  # an unreadable folder, or a network file system; the files themselves are complete anyway
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def lock(descriptor: int) -> bool:
    """Lock an open file. Return False if it is already locked, by another process or by this one.

    The system releases the lock when the file is closed or the process ends, even if the process is killed.

    Raises
    ------
    OSError
        If the file system does not support locks.
    """
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # raised by Linux and macOS; by Windows
        return False
    return True


def is_locked(path: Path) -> bool:
    """Return True if a process has locked a file, see ``lock``. The file is only read.

    Raises
    ------
    OSError
        If the file cannot be read, or its file system does not support locks.
    """
    with open_regular(path) as file:
        try:
            if sys.platform == "win32":
                os.lseek(file.fileno(), LOCKED_BYTE, os.SEEK_SET)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared, so that readers do not see each other
        except (BlockingIOError, PermissionError):
            return True
    return False


def remove_parts(folder: Path, *, older_than: float = 0) -> None:
    """Remove the temporary files of ``atomic_write`` that killed processes left in ``folder``.

    Only files last written at least ``older_than`` seconds ago are removed, or that long in the future, when the clock
    was wrong. If such a file belongs to a running process, that process's ``atomic_write`` raises FileNotFoundError.
    """
    for part in folder.glob(".*.part"):
        with suppress(OSError):  # already removed, or still open (Windows)
            if PART.fullmatch(part.name) and abs(time.time() - part.lstat().st_mtime) >= older_than:
                part.unlink()


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, and flush the names of the new ones to the disk."""
    missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        sync_folder(each.parent)


def numbered_folder(parent: Path, name: str) -> Path:
    """Create a folder ``name`` in ``parent``; if the name is taken, ``name.2``, ``name.3`` and so on."""
    make_folder(parent)
    for number in count(1):
        folder = parent / (name if number == 1 else f"{name}.{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError  # count() does not end


def open_locally(path: Path, flags: int) -> int:
    """Open a regular file for reading and writing, which is created if it is missing; return its descriptor.

    A link is refused, symbolic or hard: what is written would reach a file elsewhere.

    Raises
    ------
    InputError
        If it is a link or no regular file.
    OSError
        If it cannot be opened.
    """
    with suppress(FileNotFoundError):
        _refuse_links(path, path.lstat())
    local = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | os.O_CREAT | local, 0o666)
    try:
        _refuse_links(path, os.fstat(descriptor))  # also one that appeared since the first check
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_links(path: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink > 1):
        raise InputError(f"{path} is a link to another file; expected a file of the run: replace it by a copy")
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path} is not a regular file: remove it")


def write_text(path: Path, text: str) -> None:
    """Write a whole UTF-8 text file atomically."""
    with atomic_write(path) as file:
        file.write(text.encode())
