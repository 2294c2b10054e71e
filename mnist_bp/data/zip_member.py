"""Files in a zip archive, read in place: nothing is unpacked to disk, and reading is bounded by the stated sizes."""

import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

from mnist_bp.errors import InputError
from mnist_bp.storage.regular_file import open_regular

__all__ = ["DAMAGED", "Stored", "ZipMember", "open_stored", "read_all", "zip_members"]

DAMAGED = (EOFError, zlib.error, zipfile.BadZipFile)
"""Exceptions for a damaged compressed stream or archive."""

PIECE = 1 << 16
"""Number of bytes to read at a time."""

ENCRYPTED = 1
"""Bit of a member's flags that marks it as encrypted."""

T = TypeVar("T")

METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""Supported compression methods, which zipfile decompresses in bounded pieces. Others may expand without a limit."""


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A file in an archive, displayed as ``archive.zip/name``."""

    archive: Path
    member: str

    @property
    def name(self) -> str:
        """File name without its folders, like ``Path.name``."""
        return self.member.rpartition("/")[2]

    def __str__(self) -> str:
        return os.path.join(self.archive, *self.member.split("/"))  # noqa: PTH118 - a Path stores its parts globally


Stored = Path | ZipMember
"""File that can be read, on disk or in an archive."""


class Opened(NamedTuple):
    """An open file.

    ``length`` is its length, or, in an archive, the stated length, which the stream does not exceed. ``on_disk`` is an
    upper bound of its compressed size.
    """

    stream: IO[bytes]
    length: int
    on_disk: int


@contextmanager
def open_stored(file: Stored) -> Iterator[Opened]:
    """Open a file for reading from the beginning. Reading may raise any exception in ``DAMAGED``, and OSError."""
    with ExitStack() as stack:
        if isinstance(file, Path):
            stream: IO[bytes] = stack.enter_context(open_regular(file))
            length = on_disk = os.fstat(stream.fileno()).st_size
        else:
            archive = stack.enter_context(_open_archive(file.archive))
            info, on_disk = _info(archive, file.member), file.archive.stat().st_size
            length = info.file_size
            member: IO[bytes] = _translated(lambda: archive.open(info))
            stream = stack.enter_context(member)
        yield Opened(stream, length, min(length, on_disk))


def read_all(files: Iterable[Stored], most: int) -> Iterator[tuple[Stored, bytes]]:
    """Yield each file with its content, of at most ``most`` bytes. An archive is opened once for all of its files.

    Raises
    ------
    InputError
        If a file is larger, is damaged, or cannot be read.
    """
    archives: dict[Path, zipfile.ZipFile] = {}
    with ExitStack() as stack:
        for file in files:
            try:
                if isinstance(file, ZipMember) and file.archive not in archives:
                    archives[file.archive] = stack.enter_context(_open_archive(file.archive))
                content = _content(file, archives, most + 1)
            except DAMAGED as error:
                raise InputError(f"{file}: the archive is damaged ({error})") from error
            except OSError as error:
                raise InputError(f"{file}: cannot be read ({error.strerror or error})") from error
            if len(content) > most:
                raise InputError(f"{file} is larger than {most:,} bytes")
            yield file, content


def _content(file: Stored, archives: Mapping[Path, zipfile.ZipFile], most: int) -> bytes:
    """Return the first ``most`` bytes of a file. It is read in pieces, since reading allocates what it is asked for."""
    if isinstance(file, Path):
        stream: IO[bytes] = open_regular(file)
    else:
        archive = archives[file.archive]
        stream = _translated(lambda: archive.open(_info(archive, file.member)))
    content = bytearray()
    with stream:
        while piece := stream.read(min(PIECE, most - len(content))):
            content += piece
    return bytes(content)


def zip_members(archive: Path) -> frozenset[str]:
    """Return the names of the files in an archive. Raise InputError if it cannot be read."""
    try:
        with _open_archive(archive) as opened:
            return frozenset(name for name in opened.namelist() if name and not name.endswith("/"))
    except (OSError, *DAMAGED) as error:
        raise InputError(f"{archive}: not a complete zip archive ({error}); download it again, or unzip it") from error


def _open_archive(path: Path) -> zipfile.ZipFile:
    open_regular(path).close()  # no FIFO, which would block
    return _translated(lambda: zipfile.ZipFile(path))


def _info(archive: zipfile.ZipFile, member: str) -> zipfile.ZipInfo:
    info = _translated(lambda: archive.getinfo(member))
    if info.flag_bits & ENCRYPTED:
        raise zipfile.BadZipFile("the file in it is encrypted")
    if info.compress_type not in METHODS:
        raise zipfile.BadZipFile("the file in it is compressed by a method other than deflate")
    return info


def _translated(call: Callable[[], T]) -> T:
    """Return the result of ``call``. Turn the exceptions that zipfile raises for malformed archives into BadZipFile."""
    try:
        return call()
    except (KeyError, NotImplementedError, ValueError, OverflowError) as error:
        raise zipfile.BadZipFile(str(error)) from error
