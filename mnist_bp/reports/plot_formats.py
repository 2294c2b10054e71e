"""File formats of figures, which are known before matplotlib is imported."""

from collections.abc import Mapping
from typing import NamedTuple

from mnist_bp.core.choices import Registry

__all__ = ["DEFAULT_FORMAT", "PLOT_FORMATS", "PlotFormat"]

DEFAULT_FORMAT = "png"


class PlotFormat(NamedTuple):
    """A file format that matplotlib writes.

    ``left_out`` names the metadata that would differ between equal figures: dates, versions of programs.
    """

    left_out: tuple[str, ...]


_BUILT_IN: Mapping[str, PlotFormat] = {
    DEFAULT_FORMAT: PlotFormat(("Software",)),
    "svg": PlotFormat(("Creator", "Date")),
}

PLOT_FORMATS: Registry[PlotFormat] = Registry("plot format", tuple(_BUILT_IN), lambda: _BUILT_IN)
"""File formats by name, which is also the ending of a file's name."""
