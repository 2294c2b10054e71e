"""Parsers for user input: a path that may contain ``~``, and a boolean environment variable."""

import os
from pathlib import Path

from mnist_bp.errors import InputError

__all__ = ["is_on", "user_path"]

OFF = {"", "0", "false", "no", "off"}


def user_path(text: str) -> Path:
    """Return a path from an option, an environment variable or a config, with ``~`` expanded.

    Raises
    ------
    InputError
        If the text is empty, is ``-``, is not a valid path on this system, or begins with a ``~`` that cannot be
        expanded.
    """
    if not text:
        raise InputError("expected a path; got an empty string")
    if text == "-":
        raise InputError("standard input and output (-) are not supported here; a file named - is ./-")
    if not _can_be_a_path(text):
        raise InputError(f"expected a path; {text!r} contains characters that are not allowed in a path")
    # Path.expanduser would also expand ./~, which Path shortens to ~.
    expanded = os.path.expanduser(text)  # noqa: PTH111
    if text.startswith("~") and (expanded == text or os.environ.get("HOME") == ""):
        raise InputError(f"cannot expand ~ in {text}: the home folder is unknown; use an absolute path, or ./{text}")
    return Path(expanded)


def _can_be_a_path(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def is_on(variable: str) -> bool:
    """Return True if a boolean environment variable is set and is not empty, 0, false, no or off."""
    return os.environ.get(variable, "").strip().lower() not in OFF
