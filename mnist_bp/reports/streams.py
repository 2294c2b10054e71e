"""Standard output and standard error that tolerate a closed pipe, a full disk and any encoding."""

import codecs
import errno
import io
import os
import sys
from pathlib import Path
from typing import Any, TextIO

__all__ = ["is_closed_by_reader", "prepared"]


class _Descriptor(io.FileIO):
    """Open file descriptor for writing, which fails at most once.

    After a failure all further output is dropped, so that buffered text cannot fail again when Python exits. A closed
    pipe is no failure: it is recorded, and the command decides whether to stop.

    Python ignores SIGPIPE, so writing to such a pipe is the error EPIPE. Windows has no SIGPIPE, and reports EINVAL
    for most closed pipes; this class treats both alike, so exit codes are the same there.
    """

    is_closed_by_reader = False
    _drops_output = False

    def write(self, data: Any, /) -> int:
        """Write ``data``; return the number of bytes taken."""
        if not self._drops_output:
            try:
                return super().write(data)
            except OSError as error:
                self._drops_output = True
                self.is_closed_by_reader = _means_closed_pipe(error)
                if not self.is_closed_by_reader:
                    raise
        return memoryview(data).nbytes


def _means_closed_pipe(error: OSError) -> bool:
    return error.errno == errno.EPIPE or (sys.platform == "win32" and error.errno == errno.EINVAL)


def is_closed_by_reader(stream: TextIO) -> bool:
    """Return True if a write to this ``prepared`` stream found it closed by its reader."""
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return isinstance(raw, _Descriptor) and raw.is_closed_by_reader


def prepared(stream: TextIO | None) -> TextIO:
    """Return a replacement for ``stream``, which raises only if the disk is full.

    A character that the encoding lacks is written as its nearest ASCII, or ``?``. A stream that the shell has closed
    (``>&-``), for which Python has None, becomes one that drops everything.
    """
    codecs.register_error("nearest-ascii", _nearest_ascii)
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.reconfigure(errors="nearest-ascii")
    if stream.isatty():  # no pipe; and Python writes to a Windows console in a special way
        return stream
    try:
        descriptor = stream.fileno()
    except io.UnsupportedOperation:  # in memory
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Descriptor(descriptor, "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering or stream.write_through,
    )


_NEAREST_ASCII = str.maketrans(
    {
        "σ": "sigma",
        "η": "eta",
        "λ": "lambda",
        "μ": "mu",
        "ε": "eps",
        "Σ": "sum",
        "∂": "d",
        "∇": "grad ",
        "×": "x",
        "−": "-",
        "…": "...",
        "²": "^2",
    }
    | {"′": "'", "≤": "<=", "≥": ">=", "·": "*", "→": "->", "½": "1/2", "±": "+-"}
    | dict(zip("▁▂▃▄▅▆▇█", "_.-~=+*#", strict=True))  # heights of a curve; the last one also forms bars
    | dict.fromkeys("▏▎▍▌▋▊▉", "-")  # ends of bars
)


def _nearest_ascii(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    missing = error.object[error.start : error.end].translate(_NEAREST_ASCII)
    return missing.encode("ascii", "replace").decode(), error.end
