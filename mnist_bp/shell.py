"""Commands as they can be pasted into the user's shell."""

import os
import shlex

__all__ = ["command_line"]


def command_line(*words: object) -> str:
    """Quote the words of a command where the system's shell needs it."""
    texts = [str(word) for word in words]
    if os.name != "nt":
        return shlex.join(texts)
    import subprocess  # not at the top: it takes a while, and every command comes by here

    return subprocess.list2cmdline(texts)
