"""Exit codes of ``mnist-bp`` and the errors that lead to them.

The package raises these errors. Only ``cli.main`` turns an error into one line and an exit code.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Self

__all__ = [
    "AnswerIsNo",
    "DataUnavailable",
    "Diverged",
    "ExitCode",
    "InputError",
    "InternalError",
    "Interrupted",
    "MnistBpError",
    "OutOfMemory",
    "OutputClosed",
    "StorageError",
    "listed",
]


class ExitCode(IntEnum):
    """Exit codes of all commands. They are public: scripts and CI rely on them.

    Attributes
    ----------
    DONE
        The command succeeded.
    ANSWER_IS_NO
        The command ran, and its result is negative: gradient mismatch, accuracy below ``--min-accuracy``, divergence.
    BAD_INPUT
        Bad usage or bad input: an option, a config, a file, a data folder.
    UNAVAILABLE
        Data is not available (network, mirror), or output cannot be written (disk full, permissions).
    INTERNAL
        Internal error, killed worker, out of memory.
    INTERRUPTED
        Ctrl-C or SIGTERM; finished epochs are saved.
    OUTPUT_CLOSED
        The reader of standard output closed it before the result was known; finished epochs are saved. The number is
        128 + SIGPIPE, which shells report for a program that a closed pipe terminated. Windows uses it, too.
    """

    DONE = 0
    ANSWER_IS_NO = 1
    BAD_INPUT = 2
    UNAVAILABLE = 3
    INTERNAL = 4
    INTERRUPTED = 130
    OUTPUT_CLOSED = 141


SHOWN = 3
"""Largest number of names in a message."""


def listed(names: Sequence[str]) -> str:
    """Return names for a message: the first ones, and … for the others."""
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


class MnistBpError(Exception):
    """Base class of the errors that a user can act on. The text is one line."""

    exit_code: int = ExitCode.INTERNAL


class AnswerIsNo(MnistBpError):
    """Negative result of a command that ran, such as an accuracy below the minimum or a gradient mismatch."""

    exit_code = ExitCode.ANSWER_IS_NO


class Diverged(AnswerIsNo):
    """Divergence of training: a cost or a parameter is no longer finite."""

    @classmethod
    def in_batch(cls, epoch: int, batch: str, learning_rate: float) -> Self:
        """Return the error for an epoch and a mini-batch of it."""
        return cls(
            f"training diverged in epoch {epoch}, batch {batch}: values are no longer finite, probably because the "
            f"steps are too large; try a --learning-rate below {learning_rate:g}"
        )


class InputError(MnistBpError, ValueError):
    """Invalid option, configuration, array or file."""

    exit_code = ExitCode.BAD_INPUT


class DataUnavailable(MnistBpError):
    """Data that is not available because of the network, a mirror or a disk.

    Parameters
    ----------
    message
        Complete message.
    reason
        Reason alone, without advice; default: the message.
    """

    exit_code = ExitCode.UNAVAILABLE

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


class StorageError(MnistBpError):
    """File or stream that cannot be written."""

    exit_code = ExitCode.UNAVAILABLE


class InternalError(MnistBpError):
    """Bug in this program or in a library, which raised an unexpected ``error``."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, error: BaseException) -> None:
        super().__init__(
            f"internal error: {type(error).__name__}: {error} (please report it; --debug shows the traceback)"
        )


class OutOfMemory(MnistBpError):
    """Failed allocation of memory."""

    exit_code = ExitCode.INTERNAL

    def __init__(self) -> None:
        super().__init__("out of memory: try a smaller network, smaller batches (--batch-size) or less data (--limit)")


class Interrupted(MnistBpError):
    """Interrupt by the user or the system: Ctrl-C, SIGTERM."""

    exit_code = ExitCode.INTERRUPTED

    def __init__(self) -> None:
        super().__init__("interrupted")


class OutputClosed(MnistBpError):
    """Standard output that its reader (``head``, ``grep -q``) has closed. The program prints nothing about it."""

    exit_code = ExitCode.OUTPUT_CLOSED

    def __init__(self) -> None:
        super().__init__("standard output was closed by its reader")
