"""Verified download: decompresses a published file within bounds, hashes it, and accepts it only if it matches.

Mirrors, local folders and the cache are all read through a ``VerifiedFile``, so that one class decides whether a file
has the published content.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from mnist_bp.data.idx import GZIP_MAGIC
from mnist_bp.data.registry import PublishedFile
from mnist_bp.data.zip_member import DAMAGED, Stored, open_stored

__all__ = ["NO_NETWORK", "PIECE_BYTES", "BrokeOff", "TooSlow", "Unusable", "VerifiedFile", "WrongContent", "take_file"]

PIECE_BYTES = 1 << 16
NO_NETWORK = "host name lookup failed (no network?)"
"""Reason of a failed name lookup."""

IDX_MAGIC = b"\0\0"
GZIP_WBITS = 31


class Unusable(Exception):
    """Copy of a file that is not available or not valid; the text is the reason."""


class BrokeOff(Unusable):
    """Transfer that broke off. A retry may succeed, after ``wait`` seconds if the server gave a time."""

    def __init__(self, reason: str, *, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class WrongContent(Unusable):
    """Content that differs from the published file."""


class TooSlow(Unusable):
    """Transfer that would take very long. Another mirror may be faster."""


class VerifiedFile:
    """A file that is verified while its bytes arrive, plain or .gz, in pieces.

    Parameters
    ----------
    file
        Published file that is expected.
    open_target
        Function that opens the file for the decompressed content, called before the first byte is written. At most the
        published size is written. None to verify only.
    progress
        Callback(number of decompressed bytes so far).
    """

    def __init__(
        self,
        file: PublishedFile,
        open_target: Callable[[], BinaryIO] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.file, self._open_target, self._progress = file, open_target, progress
        self._target: BinaryIO | None = None
        self._begin()

    def _begin(self) -> None:
        self.received = self.done = 0
        self._head = b""
        self._inflate: zlib._Decompress | None = None
        self._sum, self._gzip_sum = hashlib.sha256(), hashlib.sha256()

    def restart(self) -> None:
        """Discard the bytes so far."""
        if self._target is not None:
            self._target.seek(0)
            self._target.truncate()
        self._begin()

    def feed(self, piece: bytes) -> None:
        """Process the next bytes. Raise WrongContent as soon as they cannot be those of the published file."""
        self.received += len(piece)
        if self.received > 2 * self.file.size + PIECE_BYTES:  # a gzip stream can be endless without producing output
            raise self._too_long()
        if self.received - len(piece) < len(GZIP_MAGIC):  # the first two bytes distinguish .gz from plain
            self._head = piece = self._head + piece
            if len(piece) < len(GZIP_MAGIC):
                return
            if not piece.startswith((GZIP_MAGIC, IDX_MAGIC)):
                raise WrongContent(f"neither a .gz nor an IDX file; begins with {piece[:16]!r}")
            self._inflate = zlib.decompressobj(wbits=GZIP_WBITS) if piece.startswith(GZIP_MAGIC) else None
        if self._inflate is None:
            self._take(piece)
        else:
            self._decompress(self._inflate, piece)
        if self._progress is not None and self.done < self.file.size:
            self._progress(self.done)

    def finish(self) -> str:
        """Return the SHA-256 of the complete content. Raise Unusable if it is incomplete or not the published one."""
        if self.done < self.file.size or (self._inflate is not None and not self._inflate.eof):
            raise BrokeOff(f"ended after {self.done:,} of {self.file.size:,} bytes")
        content = self._sum.hexdigest()
        if self.file.sha256 is None and self._inflate is None:
            raise WrongContent("cannot be verified: only the .gz has a published checksum")
        if content != self.file.sha256 and self._gzip_sum.hexdigest() != self.file.gzip_sha256:
            raise WrongContent("checksum mismatch (SHA-256)")
        return content

    def _decompress(self, inflate: "zlib._Decompress", piece: bytes) -> None:
        if self.file.sha256 is None:
            self._gzip_sum.update(piece)
        try:
            while not inflate.eof:
                # Request one byte more than expected, to detect content that is too long.
                content = inflate.decompress(piece, min(PIECE_BYTES, self.file.size - self.done + 1))
                self._take(content)
                piece = inflate.unconsumed_tail
                if not (piece or content):
                    return
        except zlib.error:
            raise WrongContent("a damaged .gz file") from None
        if inflate.unused_data or piece:
            raise self._too_long()

    def _take(self, content: bytes) -> None:
        self.done += len(content)
        if self.done > self.file.size:
            raise self._too_long()
        self._sum.update(content)
        if self._open_target is not None and content:
            self._target = self._target or self._open_target()
            self._target.write(content)

    def _too_long(self) -> WrongContent:
        return WrongContent(f"more than the {self.file.size:,} bytes of the published file")


def take_file(path: Stored, verified: VerifiedFile) -> str:
    """Verify a file on disk or in an archive, plain or .gz, and return the SHA-256 of its content.

    Raise Unusable if it does not have the published content.
    """
    for piece in _pieces(path):
        verified.feed(piece)
    return verified.finish()


def _pieces(path: Stored) -> Iterator[bytes]:
    try:
        with open_stored(path) as opened:
            while piece := opened.stream.read(PIECE_BYTES):
                yield piece
    except DAMAGED as error:
        raise Unusable(f"the archive is damaged ({error})") from error
    except OSError as error:
        raise Unusable(f"cannot be read ({error.strerror or error})") from error
