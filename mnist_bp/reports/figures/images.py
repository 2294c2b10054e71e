"""Sheets of images: weights of the first layer, misclassified examples."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from mnist_bp.reports.figures.picture import MARGIN, Head, Picture, own_style

__all__ = ["NEURONS", "Answer", "first_layer_weights", "mistakes"]

NEURONS = 32
"""Largest number of neurons whose weights are drawn."""

WEIGHTS = "cividis"
"""Colour map: blue below 0, grey at 0, yellow above. Colour-blind people can distinguish the colours (Nuñez, Anderton
and Renslow 2018, doi:10.1371/journal.pone.0199239). Its brightness increases monotonically, so that a black-and-white
copy shows the signs; maps that are dark at both ends, such as ColorBrewer's RdBu, lose them."""

SHADES = 64
"""Number of colours; more cannot be distinguished and make larger files."""

SHOWN_SHARE = 99.5
"""Percent of the weights inside the scale; a few large weights would make the others indistinguishable."""

SIDE = 84
"""Approximate length of an image's longer side in pixels, a multiple of its own."""

SHORTEST = 8
"""Smallest length of an image's shorter side in pixels."""

GAP, CAPTION = 10, 14
"""Pixels between images, and height of a line of a caption in pixels."""

BAR = 124
"""Width of a colour bar with its labels in pixels."""


class Answer(NamedTuple):
    """Misclassified image, (rows, columns).

    ``example`` is its number in its set, ``output`` the largest of the network's outputs.
    """

    image: NDArray[np.uint8]
    example: int
    true: str
    answer: str
    output: float


@own_style()
def first_layer_weights(
    weights: NDArray[Any], image_shape: tuple[int, int], trained: str, outputs: Sequence[str] | None = None
) -> Picture:
    """Draw the weights of each neuron of the first layer, W (n_1, n_0), as images with a common scale.

    Parameters
    ----------
    trained
        Description of the network and its training in one line.
    outputs
        Names of the classes, if the first layer is the output layer.
    """
    neurons, shown = len(weights), min(len(weights), NEURONS)
    images = weights[:shown].reshape(shown, *image_shape).astype(float)
    limit = float(np.percentile(np.abs(images), SHOWN_SHARE)) or 1.0
    rows, columns = image_shape
    layer = "the first hidden layer" if outputs is None else "the output layer"
    count = f"all {neurons} neurons" if shown == neurons else f"the first {shown} of {neurons:,} neurons"
    note = f"Each image has the {columns} × {rows} weights of a neuron at their pixels: dark below 0, light above 0."
    sheet = _Sheet(image_shape, shown, lines=1, columns=8, right=BAR)
    picture = sheet.picture(f"Weights into {layer}: {count}", Head(trained, note))
    names = list(map(str, range(neurons))) if outputs is None else outputs
    norm, colours = Normalize(-limit, limit), ScalarMappable(cmap=_weight_colours()).cmap
    for place, (image, name) in enumerate(zip(images, names[:shown], strict=True)):
        axes = sheet.show(picture, place, name)
        axes.imshow(image, norm=norm, cmap=colours, interpolation="none", aspect="auto")
    bar = picture.axes(sheet.width - BAR + 2 * GAP, GAP, 14, max(90, min(sheet.height - 2 * GAP, 260)))
    picture.figure.colorbar(ScalarMappable(norm, colours), cax=bar, extend="both", label="weight w")
    bar.grid(visible=False)
    return picture


@own_style()
def mistakes(answers: Sequence[Answer], total: int, head: Head) -> Picture:
    """Draw misclassified examples, dark on light, with their true and predicted classes.

    Parameters
    ----------
    answers
        Examples, the most confident prediction first; may be empty.
    total
        Number of all misclassified examples.
    """
    if not answers:
        picture = Picture("Misclassified examples", head, 560, 90)
        axes = picture.axes(MARGIN, GAP, 536, 60)
        axes.set_axis_off()
        axes.text(0, 0.5, "None: every example was classified correctly.", fontsize=11, va="center")
        return picture
    which = (
        f"The {len(answers)} most confident of {total:,} misclassified examples"
        if len(answers) < total
        else f"All {total} misclassified examples"
    )
    names = max(max(len(answer.true), len(answer.answer)) for answer in answers)
    rows, columns = answers[0].image.shape
    sheet = _Sheet((rows, columns), len(answers), lines=4 if names > 2 else 3, columns=8, least=86)
    picture = sheet.picture(f"{which}: true → predicted class", head)
    for place, answer in enumerate(answers):
        was = f"{answer.true} →\n{answer.answer}" if names > 2 else f"{answer.true} → {answer.answer}"
        axes = sheet.show(picture, place, f"{was}\noutput {answer.output:.3f}\nexample {answer.example}")
        axes.imshow(answer.image, cmap="gray_r", vmin=0, vmax=255, interpolation="none", aspect="auto")
    return picture


class _Sheet:
    """Layout of images in rows, with a caption below each.

    ``width`` and ``height`` are in pixels, including ``right`` free pixels beside the images. ``least`` is the smallest
    width of a cell.
    """

    def __init__(
        self, shape: tuple[int, int], images: int, *, lines: int, columns: int, right: int = 0, least: int = 0
    ) -> None:
        self._image = _shown_size(*shape)
        self._columns = min(columns, images)
        self._cell = max(self._image[0], least) + GAP, self._image[1] + lines * CAPTION + GAP
        self.width = max(2 * MARGIN + self._columns * self._cell[0] + right, 560)
        self.height = max(-(-images // self._columns) * self._cell[1] + GAP, 120)

    def picture(self, title: str, head: Head) -> Picture:
        return Picture(title, head, self.width, self.height)

    def show(self, picture: Picture, place: int, caption: str) -> Axes:
        """Return empty axes with a thin frame and a caption, for the image at this position."""
        row, column = divmod(place, self._columns)
        width, height = self._image
        axes = picture.axes(MARGIN + column * self._cell[0], GAP + row * self._cell[1], width, height)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.grid(visible=False)
        axes.spines[:].set(visible=True, color="0.6", linewidth=0.6)
        axes.text(0, -3 / height, caption, transform=axes.transAxes, va="top", fontsize=8, linespacing=1.15)
        return axes


def _shown_size(rows: int, columns: int) -> tuple[int, int]:
    """Return the width and height of a drawn image in pixels, multiples of its own unless it is large."""
    scale = SIDE // max(rows, columns) or SIDE / max(rows, columns)
    return max(round(scale * columns), SHORTEST), max(round(scale * rows), SHORTEST)


def _weight_colours() -> Any:
    import matplotlib as mpl

    return mpl.colormaps[WEIGHTS].resampled(SHADES)
