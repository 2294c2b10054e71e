"""Commands that users can paste into their shell."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["command_line", "install_command", "option_words", "program", "program_command", "public_path", "word"]


def command_line(*words: object) -> str:
    """Return a command line, with quotes where the system's shell needs them. Paths remain paths: see ``word``."""
    texts = [word(each) for each in words]
    if os.name != "nt":
        return shlex.join(texts)
    # cmd splits at &, PowerShell at commas. Both keep quoted text together, and Windows file names contain no quotes.
    return " ".join(text if re.fullmatch(r"[\w.:=/\\+-]+", text) else f'"{text}"' for text in texts)


def word(value: object) -> str:
    """Return a value as a word of a command. ``./`` protects a path that looks like an option or begins with ``~``."""
    text = str(value)
    return f"./{text}" if isinstance(value, Path) and text.startswith(("-", "~")) else text


def option_words(options: Mapping[str, object]) -> list[str]:
    """Return options as words of a command. A value of True is a flag; an option without a value is left out."""
    given = {key: value for key, value in options.items() if value is not None}
    return [f"--{key}" if value is True else f"--{key}={word(value)}" for key, value in given.items()]


def program() -> str:
    """Return the command that started this program, such as ``scripts/mnist-bp`` or ``python -m mnist_bp``.

    It is ``mnist-bp`` if that is on the PATH, or if Python code runs a command in its own process.
    """
    started = Path(sys.argv[0])
    if started.parts[-2:] == ("mnist_bp", "__main__.py"):
        return command_line(*sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1])
    on_path = shutil.which("mnist-bp")
    if started.stem != "mnist-bp" or (on_path and _without_suffix(on_path) == _without_suffix(started)):
        return "mnist-bp"
    path = sys.argv[0] if os.path.dirname(sys.argv[0]) else os.path.join(os.curdir, sys.argv[0])  # noqa: PTH118, PTH120 - a Path drops ./
    # Windows has no #! lines. The .exe that pip creates sets argv[0] to a name without a file.
    return command_line(*["py"] * (os.name == "nt" and started.is_file()), path)


def _without_suffix(path: str | Path) -> Path:
    return Path(path).resolve().with_suffix("")


def public_path(path: str | Path) -> Path:
    """Return a path for a file that people publish: relative if it is below the working folder, else ``…/NAME``."""
    relative = os.path.relpath(path) if _is_below(path) else os.path.join("…", os.path.basename(os.path.abspath(path)))  # noqa: PTH100, PTH118, PTH119 - also of a text
    return Path(relative)


def _is_below(path: str | Path) -> bool:
    folder = os.path.join(Path.cwd(), "")  # noqa: PTH118 - with the separator at its end
    return os.path.join(os.path.abspath(path), "").startswith(folder)  # noqa: PTH100, PTH118 - links are kept


def program_command(*words: object) -> str:
    """Return a command of this program, written so that it works in the folder where the user started it."""
    return f"{program()} {command_line(*words)}"


def install_command(extra: str) -> str:
    """Return the command that installs an extra of this package for the running Python."""
    set_up = Path(sys.argv[0]).resolve().with_name("set-up")  # beside scripts/mnist-bp
    if set_up.is_file():
        return command_line(*["py"] * (os.name == "nt"), set_up, extra)
    return command_line(sys.executable, "-m", "pip", "install", f"mnist-bp[{extra}]")
