"""Commands as they can be pasted into the user's shell."""

import os
import re
import shlex
import sys
from pathlib import Path

__all__ = ["command_line", "install_command", "word"]


def command_line(*words: object) -> str:
    """Quote the words of a command where the system's shell needs it; paths stay what they are: see ``word``."""
    texts = [word(each) for each in words]
    if os.name != "nt":
        return shlex.join(texts)
    # cmd cuts at &, PowerShell at commas; both leave alone what is quoted, and no file's name has a quote there.
    return " ".join(text if re.fullmatch(r"[\w.:=/\\+-]+", text) else f'"{text}"' for text in texts)


def word(value: object) -> str:
    """Return a value as a word of a command; a path is not taken for an option, nor its ``~`` for a home folder."""
    text = str(value)
    return f"./{text}" if isinstance(value, Path) and text.startswith(("-", "~")) else text


def install_command(extra: str) -> str:
    """What installs an extra of this package where this Python runs."""
    return command_line(sys.executable, "-m", "pip", "install", f"mnist-bp[{extra}]")
