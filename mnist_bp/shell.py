"""Commands as they can be pasted into the user's shell."""

import os
import re
import shlex
import sys
from pathlib import Path

__all__ = ["command_line", "install_command"]


def command_line(*words: object) -> str:
    """Quote the words of a command where the system's shell needs it; paths are taken for no options."""
    texts = [_text(word) for word in words]
    if os.name != "nt":
        return shlex.join(texts)
    # cmd cuts at &, PowerShell at commas; both leave alone what is quoted, and no file's name has a quote there.
    return " ".join(text if re.fullmatch(r"[\w.:=/\\+-]+", text) else f'"{text}"' for text in texts)


def _text(word: object) -> str:
    text = str(word)
    return f"./{text}" if isinstance(word, Path) and text.startswith("-") else text


def install_command(extra: str) -> str:
    """What installs an extra of this package where this Python runs."""
    return command_line(sys.executable, "-m", "pip", "install", f"mnist-bp[{extra}]")
