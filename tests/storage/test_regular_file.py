"""Reads of regular files only, with a bound."""

import os
import sys
from pathlib import Path

import pytest

from mnist_bp.storage.regular_file import read_end, read_whole


def test_a_file_is_read_up_to_its_bound():
    """The end of a longer one; an error if the whole is required."""
    path = Path("file")
    path.write_bytes(b"0123456789")
    assert read_whole(path, 10) == b"0123456789"
    assert read_end(path, 10) == (b"0123456789", True)
    assert read_end(path, 3) == (b"789", False)
    with pytest.raises(OSError, match="larger than 9 bytes"):
        read_whole(path, 9)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")
def test_nothing_else_is_read():
    """Neither a FIFO, a device, nor a folder."""
    os.mkfifo("fifo")
    for path in (Path("fifo"), Path("/dev/zero"), Path()):
        with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
            read_end(path, 10)
