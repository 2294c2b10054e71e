"""Files that appear whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["atomic_write", "write_text"]


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


def write_text(path: Path, text: str) -> None:
    """Write a whole UTF-8 text file atomically."""
    with atomic_write(path) as file:
        file.write(text.encode())
