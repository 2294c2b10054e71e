"""Output of text to terminals, pipes and logs, and of JSON Lines.

A terminal gets colours, growing tables and progress bars. Everything else (a pipe, a file, CI, NO_COLOR, TERM=dumb)
gets plain lines without colours and control characters. No line is cut, and each is flushed at once.
"""

import json
import os
import re
import sys
import textwrap
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, TextIO

from rich.console import Console as RichConsole
from rich.measure import Measurement
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from mnist_bp.environment import is_on
from mnist_bp.errors import MnistBpError, OutputClosed
from mnist_bp.launcher import launch
from mnist_bp.reports.streams import is_closed_by_reader, prepared

__all__ = ["Console", "natural_width", "prepare_streams", "print_error", "printable"]

WIDE = 10_000
"""More columns than any table has."""

LOG = 80
"""Columns of a drawing if the output has no width."""

LONGEST = 10_000
"""Largest number of characters of a line: two paths of the length that Linux allows fit."""

_SIZE = re.compile(r"[1-9][0-9]{0,3}")
"""Columns or lines of a terminal: 1 to 9999."""

_LEAD = re.compile(r"\w+ {2,}")
"""Label of a line like ``data     mnist``."""


def _is_for_people(stream: TextIO) -> bool:
    """Return True for a terminal on which colours and moving output are wanted."""
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or is_on("CI")
    is_plain = is_plain or launch().launcher == "mpiexec"  # it gives each process a terminal, also for a log
    return stream.isatty() and not is_plain


class Console:
    """Destination of the output of a command.

    Parameters
    ----------
    json
        Standard output is JSON Lines and nothing else; text for people goes to standard error.
    quiet
        Only the result is printed for people.
    """

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self.json, self.quiet = json, quiet
        self._warned_of = set[str]()
        self.stream = sys.stderr if json else sys.stdout
        self.is_live = _is_for_people(self.stream) and not quiet
        self.rich = _rich_console(self.stream, is_live=self.is_live)

    def emit_json(self, record: Mapping[str, Any]) -> None:
        """Print an object on one line if ``--json`` is given, and flush."""
        if self.json:
            sys.stdout.write(json.dumps(record, allow_nan=False) + "\n")
            sys.stdout.flush()

    @property
    def is_unread(self) -> bool:
        """Return True if the reader of standard output has closed it (``head``, ``grep -q``)."""
        return is_closed_by_reader(sys.stdout)

    def require_reader(self, verdict: MnistBpError | None = None) -> None:
        """If the output is unread, raise ``verdict``, or OutputClosed if it is not known yet. Call it in long loops."""
        if self.is_unread:
            raise verdict or OutputClosed

    def print(self, text: str = "", *, style: str = "", wrap: bool = True) -> None:
        """Print a line, unless ``--quiet``. ``wrap`` is False for a line to be copied, such as a command."""
        if not self.quiet:
            self.print_result(text, style=style, wrap=wrap)

    def warn(self, warning: str, *, topic: str = "") -> None:
        """Print a warning, unless ``--quiet``, and at most one for each topic. The default topic is the warning."""
        topic = topic or warning
        if topic not in self._warned_of:
            self._warned_of.add(topic)
            self.print(f"warning  {warning}", style="yellow")

    def print_result(self, text: str, *, style: str = "", wrap: bool = True) -> None:
        """Print the line that is the result, also with ``--quiet``."""
        if self.is_unread:
            return
        text = printable(text)
        if wrap and self.is_live:
            text = _wrapped(text, self.rich.width)
        self.rich.print(text, style=style, soft_wrap=True, markup=False, highlight=False)
        self.stream.flush()

    def print_lines(self, lines: Iterable[tuple[str, str]]) -> None:
        """Print lines of printable characters with their styles at once, unless ``--quiet``. They are not wrapped."""
        if self.quiet or self.is_unread:
            return
        text = Text()
        for line, style in lines:
            text.append(f"{line}\n", style or None)
        self.rich.print(text, soft_wrap=True, end="", highlight=False)
        self.stream.flush()

    @property
    def columns(self) -> int:
        """Return the number of columns for a drawing: the width of the terminal, else ``LOG``."""
        if self.is_live:
            return self.rich.width
        with suppress(OSError, ValueError):  # no terminal; no file at all
            return os.get_terminal_size(self.stream.fileno()).columns or LOG
        return LOG

    def print_table(self, table: Table | Text) -> None:
        """Print a table in its natural width. A narrow window wraps its lines, but no number is cut."""
        if self.quiet or self.is_unread:
            return
        # RichConsole.print would shrink the table to the window, whatever width it is given. Measuring its natural
        # width first would take a third of the time, and no table fills a larger one.
        options = self.rich.options.update(width=WIDE)
        lines = self.rich.render_lines(table, options, pad=False, new_lines=True)
        self.rich.print(Segments(part for line in lines for part in line), soft_wrap=True, end="")
        self.stream.flush()


class _RichConsole(RichConsole):
    """A console that shows no control characters."""

    def render_str(self, text: str, **look: Any) -> Text:
        """Return the text of a table's cell, with control characters other than line breaks escaped."""
        return super().render_str("\n".join(map(printable, text.split("\n"))), **look)


def _rich_console(stream: TextIO, *, is_live: bool) -> _RichConsole:
    # Every setting is given, because Rich would otherwise read FORCE_COLOR, COLUMNS and others.
    return _RichConsole(
        file=stream,
        force_terminal=is_live,
        force_interactive=is_live,
        no_color=not is_live,
        color_system="auto" if is_live else None,
        width=None if is_live else WIDE,
        legacy_windows=None if is_live else False,
        emoji=False,
        markup=False,
    )


def natural_width(console: RichConsole, table: Table | Text) -> int:
    """Return the columns of a table or text in unlimited width."""
    return Measurement.get(console, console.options.update(max_width=WIDE), table).maximum


def _wrapped(text: str, width: int) -> str:
    """Return ``text`` in lines of ``width`` that break between words, never inside a number or a path."""
    lead = _LEAD.match(text)
    glued = re.sub(r" (?=%|s\b)", "\0", text)
    lines = textwrap.wrap(
        glued,
        width,
        subsequent_indent=" " * (lead.end() if lead else 0),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace("\0", " ")


def printable(text: str) -> str:
    """Return ``text`` without control characters, which names of files may contain, and cut to ``LONGEST``."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text) - LONGEST:,} more characters)"
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def print_error(error: MnistBpError, *, debug: bool = False) -> None:
    """Print an error in one line on standard error; with ``debug``, its traceback before that line."""
    lines = "".join(traceback.format_exception(error)).splitlines() if debug else []
    if not isinstance(error, OutputClosed):
        lines.append(f"mnist-bp: {error}")
    with suppress(OSError):
        sys.stdout.flush()
    with suppress(OSError):  # standard error is closed: the exit code remains
        sys.stderr.writelines(f"{printable(line)}\n" for line in lines)
        sys.stderr.flush()


def prepare_streams() -> None:
    """Prepare standard output and standard error: see ``streams``. Colours are only for terminals.

    Rich and Typer fail if COLUMNS is 0 or no number. Such a value is removed, so that the size of the terminal counts.
    """
    for variable in ("COLUMNS", "LINES", "TERMINAL_WIDTH"):
        if not _SIZE.fullmatch(os.environ.get(variable, "80")):
            del os.environ[variable]
    sys.stdout, sys.stderr = prepared(sys.stdout), prepared(sys.stderr)
    if not _is_for_people(sys.stdout):  # Typer would colour text on GITHUB_ACTIONS
        os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"
