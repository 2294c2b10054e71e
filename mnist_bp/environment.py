"""Paths and switches as a user writes them: ``~`` in a path, on and off in an environment variable."""

import os
from pathlib import Path

from mnist_bp.errors import InputError

__all__ = ["is_on", "user_path"]

OFF = {"", "0", "false", "no", "off"}


def user_path(text: str) -> Path:
    """Return the path that a user wrote in an option, an environment variable or a config; ``~`` is expanded.

    Raises
    ------
    InputError
        If it is empty, is ``-``, cannot be a path on this system, or begins with a ``~`` that has no meaning here.
    """
    if not text:
        raise InputError("expected a path; got an empty string")
    if text == "-":
        raise InputError("standard input and output (-) are not supported here; a file named - is ./-")
    if not _can_be_a_path(text):
        raise InputError(f"expected a path; {text!r} has characters that no path can have")
    # Path.expanduser would also expand ./~, which Path shortens to ~.
    expanded = os.path.expanduser(text)  # noqa: PTH111
    if text.startswith("~") and (expanded == text or os.environ.get("HOME") == ""):
        raise InputError(f"cannot expand ~ in {text}: no home folder is known; write the whole path, or ./{text}")
    return Path(expanded)


def _can_be_a_path(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def is_on(variable: str) -> bool:
    """Return whether a boolean environment variable is on: set, and neither empty nor 0, false, no or off."""
    return os.environ.get(variable, "").strip().lower() not in OFF
