"""Open a file in the user's browser."""

import os
import sys
import webbrowser
from pathlib import Path

__all__ = ["open_in_browser"]

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""Environment variables without which Linux has no graphical browser, only some that take over the terminal."""


def open_in_browser(path: Path) -> bool:
    """Open a file in the browser, and return False if there is none, for example on a server."""
    if sys.platform not in {"win32", "darwin"} and not any(os.environ.get(name) for name in DISPLAYS):
        return False
    try:
        return webbrowser.open(path.resolve().as_uri())
    except (webbrowser.Error, OSError):
        return False
