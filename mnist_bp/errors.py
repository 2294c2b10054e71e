"""The errors that the package raises, and the exit code that each one means.

Everything below raises these; only ``cli.main`` turns them into one line and an exit code.
"""

__all__ = ["AnswerIsNo", "DataUnavailable", "Diverged", "InputError", "MnistBpError", "StorageError"]


class MnistBpError(Exception):
    """Any error that a user can understand and act on; its text is one line."""

    exit_code = 1


class AnswerIsNo(MnistBpError):
    """It ran, and the answer is no: an accuracy under the wanted one, a gradient that does not match."""

    exit_code = 1


class Diverged(AnswerIsNo):
    """Training left the finite numbers."""


class InputError(MnistBpError, ValueError):
    """An option, a configuration, an array or a file that is not what it should be."""

    exit_code = 2


class DataUnavailable(MnistBpError):
    """The data could not be had: network, mirror or disk."""

    exit_code = 3


class StorageError(MnistBpError):
    """The disk did not take what had to be written."""

    exit_code = 3
