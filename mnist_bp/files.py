"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["atomic_write", "write_text"]


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a uniquely named file beside ``path``; it takes the place of ``path`` when the block ends without an error.

    Readers see the old file or the new one, never a part, whatever happens in between; an error leaves no trace.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o644)  # mkstemp made it private; what we write is meant to be read
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a whole UTF-8 text file atomically."""
    with atomic_write(path) as file:
        file.write(text.encode())
