"""Commands as they can be pasted into the user's shell."""

import os
import shlex
import subprocess

__all__ = ["command_line"]


def command_line(*words: object) -> str:
    """Quote the words of a command where the system's shell needs it."""
    texts = [str(word) for word in words]
    return subprocess.list2cmdline(texts) if os.name == "nt" else shlex.join(texts)
