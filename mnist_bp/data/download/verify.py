"""Verified download: bytes of a published file, decompressed within bounds, hashed, and accepted only if they match.

A mirror, a local folder and the cache itself are all read through a ``VerifiedFile``, so that one function decides
whether a file is what was published.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from mnist_bp.data.idx import GZIP_MAGIC
from mnist_bp.data.registry import PublishedFile
from mnist_bp.data.zip_member import DAMAGED, Stored, open_stored

__all__ = ["PIECE_BYTES", "BrokeOff", "Unusable", "VerifiedFile", "WrongContent", "take_file"]

PIECE_BYTES = 1 << 16
IDX_MAGIC = b"\0\0"
GZIP_WBITS = 31


class Unusable(Exception):
    """A copy of a file could not be had; the text says why."""


class BrokeOff(Unusable):
    """It ended before its end: asked again, the same source may give the rest, after so many seconds if it says so."""

    def __init__(self, reason: str, *, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class WrongContent(Unusable):
    """Something else than the published file."""


class VerifiedFile:
    """One file on its way in, plain or .gz, in pieces.

    Parameters
    ----------
    file
        What it should be.
    open_target
        Called before the first byte is written; opens the file that takes the decompressed content, never more than the
        published size. None to look only.
    told
        Told of the decompressed bytes so far.
    """

    def __init__(
        self,
        file: PublishedFile,
        open_target: Callable[[], BinaryIO] | None = None,
        told: Callable[[int], None] | None = None,
    ) -> None:
        self.file, self._open_target, self._told = file, open_target, told
        self._target: BinaryIO | None = None
        self._begin()

    def _begin(self) -> None:
        self.received = self.done = 0
        self._head = b""
        self._inflate: zlib._Decompress | None = None
        self._sum, self._gzip_sum = hashlib.sha256(), hashlib.sha256()

    def restart(self) -> None:
        """Forget what has come so far."""
        if self._target is not None:
            self._target.seek(0)
            self._target.truncate()
        self._begin()

    def feed(self, piece: bytes) -> None:
        """Take the next bytes; WrongContent as soon as they cannot be the published file's."""
        self.received += len(piece)
        if self.received > 2 * self.file.size + PIECE_BYTES:  # gzip can go on for ever and say nothing
            raise self._too_long()
        if self.received - len(piece) < len(GZIP_MAGIC):  # the first two bytes tell .gz from plain; keep them together
            self._head = piece = self._head + piece
            if len(piece) < len(GZIP_MAGIC):
                return
            if not piece.startswith((GZIP_MAGIC, IDX_MAGIC)):
                raise WrongContent(f"neither a .gz nor an IDX file, but {piece[:16]!r}")
            self._inflate = zlib.decompressobj(wbits=GZIP_WBITS) if piece.startswith(GZIP_MAGIC) else None
        if self._inflate is None:
            self._take(piece)
        else:
            self._decompress(self._inflate, piece)
        if self._told is not None and self.done < self.file.size:
            self._told(self.done)

    def finish(self) -> str:
        """Say the content's SHA-256, once all bytes have come and are the published ones; Unusable if they are not."""
        if self.done < self.file.size or (self._inflate is not None and not self._inflate.eof):
            raise BrokeOff(f"{self.done:,} of {self.file.size:,} bytes, then nothing")
        content = self._sum.hexdigest()
        if self.file.sha256 is None and self._inflate is None:
            raise WrongContent("cannot be verified: only of the .gz is a sum published")
        if content != self.file.sha256 and self._gzip_sum.hexdigest() != self.file.gzip_sha256:
            raise WrongContent("other content than the published file's (SHA-256)")
        return content

    def _decompress(self, inflate: "zlib._Decompress", piece: bytes) -> None:
        if self.file.sha256 is None:
            self._gzip_sum.update(piece)
        try:
            while not inflate.eof:
                # One byte more than there should be, so that the first one too many shows.
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


def take_file(path: Stored, intake: VerifiedFile) -> str:
    """Take in a file on disk or in an archive, plain or .gz, and return its content's SHA-256.

    Unusable if it is not what was published.
    """
    for piece in _pieces(path):
        intake.feed(piece)
    return intake.finish()


def _pieces(path: Stored) -> Iterator[bytes]:
    try:
        with open_stored(path) as opened:
            while piece := opened.stream.read(PIECE_BYTES):
                yield piece
    except DAMAGED as error:
        raise Unusable(f"the archive is damaged ({error})") from error
    except OSError as error:
        raise Unusable(f"cannot be read ({error.strerror or error})") from error
