"""Picture of the sensitivity of a cost to each pixel."""

from typing import TYPE_CHECKING

from mnist_bp.reports.console import Console
from mnist_bp.reports.terminal_images import draw_signed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["draw_pixels"]

MOST = 3
"""Number of pixels to name in each direction."""


def draw_pixels(pixels: list[list[float]], console: Console) -> list[str]:
    """Draw ∂C_0/∂a^(0), in rows and columns, and return sentences that name the pixels with the largest values."""
    import numpy as np

    values = np.array(pixels)
    if not values.any():
        return ["On this example, no pixel has an influence: every derivative is 0."]
    raises, lowers = "made brighter, this pixel raises C_0", "made brighter, this pixel lowers C_0"
    draw_signed(values, console, positive=raises, negative=lowers)
    order = values.ravel().argsort(kind="stable").tolist()
    lists = {"raise": order[: -MOST - 1 : -1], "lower": order[:MOST]}
    return [f"pixels that {what} it most: {', '.join(_pixel(k, values) for k in ks)}" for what, ks in lists.items()]


def _pixel(k: int, values: "NDArray[np.float64]") -> str:
    row, column = divmod(k, values.shape[1])
    return f"{k} (row {row}, column {column}) {values[row, column]:+.4g}"
