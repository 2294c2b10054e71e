"""Where text goes and what may stand in it: terminals, pipes, logs, JSON Lines.

A terminal gets colours, tables that grow and progress bars. Everything else (a pipe, a file, CI, NO_COLOR, TERM=dumb)
gets plain lines: no colour, no control character, nothing cut to a width, each line on its way as soon as it is said.
"""

import json
import os
import re
import sys
import textwrap
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TextIO

from rich.console import Console as RichConsole
from rich.measure import Measurement
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from mnist_bp.environment import is_on
from mnist_bp.errors import MnistBpError, OutputClosed
from mnist_bp.reports.streams import is_closed_by_reader, prepared

__all__ = ["Console", "natural_width", "prepare_streams", "print_error", "printable"]

WIDE = 10_000
"""Columns: more than any table of ours takes."""

LOG = 80
"""Columns of a drawing where nothing says how many there are."""

LONGEST = 10_000
"""Characters of a line: room for two paths as long as Linux allows, not for whatever a damaged file holds."""

_SIZE = re.compile(r"[1-9][0-9]{0,3}")
"""Columns or lines of a terminal: 1 to 9999."""

_LEAD = re.compile(r"\w+ {2,}")
"""What stands before the text of a line like ``data     mnist``."""


def _is_for_people(stream: TextIO) -> bool:
    """Whether someone looks at this stream as it comes, and wants it to move."""
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or is_on("CI")
    return stream.isatty() and not is_plain


class Console:
    """Destination of what a command prints.

    Parameters
    ----------
    json
        Standard output is JSON Lines and nothing else; what is said to people goes to standard error.
    quiet
        Of what is said to people, only the result.
    """

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self.json, self.quiet = json, quiet
        self._warned_of = set[str]()
        self.stream = sys.stderr if json else sys.stdout
        self.is_live = _is_for_people(self.stream) and not quiet
        self.rich = _rich_console(self.stream, is_live=self.is_live)

    def emit_json(self, record: Mapping[str, Any]) -> None:
        """With ``--json``: one object, on one line, at once."""
        if self.json:
            sys.stdout.write(json.dumps(record, allow_nan=False) + "\n")
            sys.stdout.flush()

    @property
    def is_unread(self) -> bool:
        """Whether the reader of standard output has closed it (``head``, ``grep -q``): nothing more is printed."""
        return is_closed_by_reader(sys.stdout)

    def require_reader(self, verdict: MnistBpError | None = None) -> None:
        """If the output is unread, raise ``verdict``, or OutputClosed if it is not known yet. Call it in long loops."""
        if self.is_unread:
            raise verdict or OutputClosed

    def print(self, text: str = "", *, style: str = "", wrap: bool = True) -> None:
        """Say a line, unless ``--quiet``; one that is to be copied as it stands is not to ``wrap``."""
        if not self.quiet:
            self.print_result(text, style=style, wrap=wrap)

    def warn(self, warning: str, *, topic: str = "") -> None:
        """Print a warning, unless ``--quiet``, and at most one on each topic. A warning without topic is its own."""
        topic = topic or warning
        if topic not in self._warned_of:
            self._warned_of.add(topic)
            self.print(f"warning  {warning}", style="yellow")

    def print_result(self, text: str, *, style: str = "", wrap: bool = True) -> None:
        """Say the line that counts, also with ``--quiet``."""
        if self.is_unread:
            return
        text = printable(text)
        if wrap and self.is_live:
            text = _wrapped(text, self.rich.width)
        self.rich.print(text, style=style, soft_wrap=True, markup=False, highlight=False)
        self.stream.flush()

    @property
    def columns(self) -> int:
        """Columns for what can be drawn in any size: a terminal's own, with colours or without, else ``LOG``."""
        if self.is_live:
            return self.rich.width
        with suppress(OSError, ValueError):  # no terminal; no file at all
            return os.get_terminal_size(self.stream.fileno()).columns or LOG
        return LOG

    def print_table(self, table: Table | Text) -> None:
        """Show a table, as wide as it needs to be: a narrow window wraps its lines, but no number is cut."""
        if self.quiet or self.is_unread:
            return
        # Told to print a table, Rich would squeeze it into the window, whatever width it is given.
        options = self.rich.options.update(width=natural_width(self.rich, table))
        lines = self.rich.render_lines(table, options, pad=False, new_lines=True)
        self.rich.print(Segments(part for line in lines for part in line), soft_wrap=True, end="")
        self.stream.flush()


class _RichConsole(RichConsole):
    """A console that shows no control characters."""

    def render_str(self, text: str, **look: Any) -> Text:
        """Text of a table's cell; its lines are the table's own, what else could steer the terminal is spelled out."""
        return super().render_str("\n".join(map(printable, text.split("\n"))), **look)


def _rich_console(stream: TextIO, *, is_live: bool) -> _RichConsole:
    # Rich looks at FORCE_COLOR, COLUMNS and more by itself; we have decided.
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
    """Columns that a table, or text, takes when nothing presses it."""
    return Measurement.get(console, console.options.update(max_width=WIDE), table).maximum


def _wrapped(text: str, width: int) -> str:
    """``text`` in lines of ``width`` that break between words, never inside a number or a path that is to be copied."""
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
    """``text`` without characters that could steer a terminal (a file's name may hold any), and not without end."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text) - LONGEST:,} more characters)"
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def print_error(error: MnistBpError, *, debug: bool = False) -> None:
    """Print on standard error, in one line, why the command fails; with ``debug``, the traceback before that line."""
    lines = "".join(traceback.format_exception(error)).splitlines() if debug else []
    if not isinstance(error, OutputClosed):
        lines.append(f"mnist-bp: {error}")
    with suppress(OSError):
        sys.stdout.flush()
    with suppress(OSError):  # with nobody to tell, the exit code has to do
        sys.stderr.writelines(f"{printable(line)}\n" for line in lines)
        sys.stderr.flush()


def prepare_streams() -> None:
    """Make standard output and standard error ready for anything: see ``streams``; no colours but on a terminal.

    Rich and Typer fail where COLUMNS is 0 or no number: then the terminal's own size counts, as if it were not set.
    """
    for variable in ("COLUMNS", "LINES", "TERMINAL_WIDTH"):
        if not _SIZE.fullmatch(os.environ.get(variable, "80")):
            del os.environ[variable]
    sys.stdout, sys.stderr = prepared(sys.stdout), prepared(sys.stderr)
    if not _is_for_people(sys.stdout):  # Typer's help would be coloured on GITHUB_ACTIONS, CI or not
        os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"
