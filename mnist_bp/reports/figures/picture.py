"""Base of all figures: a fixed style, a head that names network and data, and the file."""

import io
import textwrap
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mnist_bp.reports.plot_formats import PLOT_FORMATS
from mnist_bp.storage.atomic import atomic_write, storing

__all__ = ["DPI", "Head", "Picture", "own_style", "save"]

DPI = 100
"""Pixels per inch. Positions and lengths in a figure are in pixels, so that pixels of digits are square."""

MARGIN = 12
TITLE, LINE, CHARACTER = 22, 15, 6.6
"""Height of a line of the title, height of a line below it, and largest mean width of a character, in pixels."""

STYLE: Mapping[Any, Any] = {
    "agg.path.chunksize": 10_000,  # a line through a million epochs
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "figure.dpi": DPI,
    "font.size": 9,
    "grid.color": "0.85",
    "grid.linewidth": 0.6,
    "savefig.dpi": DPI,
    "svg.hashsalt": "mnist-bp",  # otherwise ids would differ between equal figures
    "text.parse_math": False,  # the name of a dataset may be $x$
}


class Head(NamedTuple):
    """Two lines below the title of every figure: the network with its training, and the data."""

    network: str
    data: str


@contextmanager
def own_style() -> Iterator[None]:
    """Use matplotlib's defaults with ``STYLE``, and without warnings, in a block or a function.

    The settings of the user have no effect and are restored. The only possible warning is about characters in the name
    of a folder that the font lacks.
    """
    with warnings.catch_warnings(action="ignore"), mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


class Picture:
    """Figure with a title and a head; everything else is positioned in pixels below them.

    Parameters
    ----------
    title
        Subject of the figure.
    head
        Network and data.
    width, height
        Size of the area below the head in pixels.
    """

    def __init__(self, title: str, head: Head, width: float, height: float) -> None:
        self.title = title
        columns = int((width - 2 * MARGIN) / CHARACTER)
        lines = [line for text in head for line in textwrap.wrap(text, columns, max_lines=3, placeholder=" …")]
        titles = textwrap.wrap(title, int(columns * 0.7))
        self._width = width
        self._head = MARGIN + TITLE * len(titles) + LINE * len(lines)
        self._height = self._head + height
        self.figure = Figure((self._width / DPI, self._height / DPI))
        top = MARGIN
        for text in titles:
            self._write(top, text, fontsize=12, fontweight="bold")
            top += TITLE
        for text in lines:
            self._write(top, text, color="0.25")
            top += LINE

    def _write(self, top: float, text: str, **look: str | float) -> None:
        self.figure.text(MARGIN / self._width, 1 - top / self._height, text, va="top", **look)  # type: ignore[arg-type]

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Return new axes, ``left`` pixels from the edge and ``top`` pixels below the head."""
        bottom = self._height - self._head - top - height
        box = (left / self._width, bottom / self._height, width / self._width, height / self._height)
        return self.figure.add_axes(box)


@own_style()
def save(picture: Picture, path: Path, *, follow: bool = False) -> None:
    """Write a figure atomically, in the format of the path's suffix. Equal figures give equal bytes.

    A link at ``path`` is replaced, or, with ``follow``, its target: see ``atomic_write``.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    file_format = path.suffix[1:]
    metadata = {"Title": picture.title} | dict.fromkeys(PLOT_FORMATS[file_format].left_out)
    content = io.BytesIO()
    picture.figure.savefig(content, format=file_format, metadata=metadata)
    with storing(path), atomic_write(path, follow=follow) as file:
        file.write(content.getvalue())
