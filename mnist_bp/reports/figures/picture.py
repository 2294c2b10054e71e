"""What all pictures share: a look that depends on nobody's settings, a head that says what is shown, and the file."""

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
"""Pixels of an inch. Places and lengths on a picture are given in pixels, so that images of digits keep square ones."""

MARGIN = 12
TITLE, LINE, CHARACTER = 22, 15, 6.6
"""Heights of a line of the title and of what stands below it, and the width of a character there, on the safe side."""

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
    "svg.hashsalt": "mnist-bp",  # or else its ids would differ from picture to picture
    "text.parse_math": False,  # a dataset may be called $x$
}


class Head(NamedTuple):
    """What every picture says of what it shows: the network and its training in a line, the data in another."""

    network: str
    data: str


@contextmanager
def own_style() -> Iterator[None]:
    """A block, or a function, in which matplotlib draws as it was shipped but for ``STYLE``, and warns of nothing.

    What the user has set for figures of their own stays out, and is as it was afterwards. The one warning that can be
    is of letters that the font lacks, in the name of a folder.
    """
    with warnings.catch_warnings(action="ignore"), mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


class Picture:
    """A figure with a title, and two lines below it that say what of; all else is placed by pixels below those.

    Parameters
    ----------
    title
        What is shown.
    head
        Of what.
    width, height
        Of the room below the head, in pixels.
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
        """Axes there, ``left`` from the edge and ``top`` below the head."""
        bottom = self._height - self._head - top - height
        box = (left / self._width, bottom / self._height, width / self._width, height / self._height)
        return self.figure.add_axes(box)


@own_style()
def save(picture: Picture, path: Path) -> None:
    """Write a picture, in the format of the path's ending: whole or not at all; the same picture, the same bytes.

    Raises
    ------
    StorageError
        If the disk does not take it.
    """
    file_format = path.suffix[1:]
    metadata = {"Title": picture.title} | dict.fromkeys(PLOT_FORMATS[file_format].left_out)
    content = io.BytesIO()
    picture.figure.savefig(content, format=file_format, metadata=metadata)
    with storing(path), atomic_write(path) as file:
        file.write(content.getvalue())
