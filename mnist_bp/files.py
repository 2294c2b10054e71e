"""Files that appear whole or not at all."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["atomic_write", "remove_parts", "write_text"]


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a uniquely named file beside ``path``; it takes the place of ``path`` when the block ends without an error.

    Readers see the old file or the new one, never a part, whatever happens in between; an error leaves no trace.
    """
    part = path.parent / f".{path.name[:40]}.{secrets.token_hex(8)}.part"
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):  # the error that brought us here is the one to tell
            part.unlink()
        raise


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
