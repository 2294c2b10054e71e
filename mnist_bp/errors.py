"""Exit codes of ``mnist-bp``, and the errors that lead to them.

The package raises these errors; ``cli.main`` alone turns an error into one line and an exit code.
"""

from enum import IntEnum

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
]


class ExitCode(IntEnum):
    """Exit codes of every command. They are public: scripts and CI rely on them.

    Attributes
    ----------
    DONE
        The command is done.
    ANSWER_IS_NO
        The command ran, and the answer is no: gradient mismatch, accuracy below ``--min-accuracy``, divergence.
    BAD_INPUT
        Bad usage or bad input: an option, a config, a file, a data folder.
    UNAVAILABLE
        Data are not available (network, mirror), or output cannot be written (disk full, permissions).
    INTERNAL
        Internal error, killed worker, out of memory.
    INTERRUPTED
        Ctrl-C or SIGTERM; finished epochs are saved.
    OUTPUT_CLOSED
        The reader of standard output closed it before the verdict was known; finished epochs are saved. The number is
        128 + SIGPIPE, which shells report for a program that a closed pipe ends. It is the same on Windows.
    """

    DONE = 0
    ANSWER_IS_NO = 1
    BAD_INPUT = 2
    UNAVAILABLE = 3
    INTERNAL = 4
    INTERRUPTED = 130
    OUTPUT_CLOSED = 141


class MnistBpError(Exception):
    """Any error that a user can understand and act on; its text is one line."""

    exit_code: int = ExitCode.INTERNAL


class AnswerIsNo(MnistBpError):
    """The command ran, and the answer is no: an accuracy below the required one, a gradient that does not match."""

    exit_code = ExitCode.ANSWER_IS_NO


class Diverged(AnswerIsNo):
    """Training left the finite numbers."""


class InputError(MnistBpError, ValueError):
    """An option, a configuration, an array or a file that is not what it should be."""

    exit_code = ExitCode.BAD_INPUT


class DataUnavailable(MnistBpError):
    """Data that are not available, because of network, mirror or disk."""

    exit_code = ExitCode.UNAVAILABLE


class StorageError(MnistBpError):
    """A file or a stream that cannot be written."""

    exit_code = ExitCode.UNAVAILABLE


class InternalError(MnistBpError):
    """A bug in this program or in a library, seen as an ``error`` that nothing handles."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, error: BaseException) -> None:
        super().__init__(
            f"internal error: {type(error).__name__}: {error} (please report it; --debug shows the traceback)"
        )


class OutOfMemory(MnistBpError):
    """Memory that the system does not give."""

    exit_code = ExitCode.INTERNAL

    def __init__(self) -> None:
        super().__init__("out of memory: try a smaller network, smaller batches (--batch-size) or less data (--limit)")


class Interrupted(MnistBpError):
    """An interrupt by the user or the system: Ctrl-C, SIGTERM."""

    exit_code = ExitCode.INTERRUPTED

    def __init__(self) -> None:
        super().__init__("interrupted")


class OutputClosed(MnistBpError):
    """A closed standard output: its reader (``head``, ``grep -q``) needs no more. Nothing is printed."""

    exit_code = ExitCode.OUTPUT_CLOSED

    def __init__(self) -> None:
        super().__init__("the reader of standard output has closed it")
