"""Somebody's own image, as the network takes it."""

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_bp.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["read_image"]

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "PPM")
"""Those that Pillow decodes by itself: to open a PostScript file, for one, it would run it."""

LIMIT = 1 << 22
"""Bytes of a file: many times what a picture of any dataset takes."""


def read_image(path: Path, shape: tuple[int, ...]) -> "NDArray[np.uint8]":
    """Read a picture of exactly ``shape`` (rows, columns) pixels as grey levels, 0 dark to 255 light.

    Raises
    ------
    InputError
        If Pillow is not installed, or the file is not a picture of that size in one of ``FORMATS``.
    """
    import numpy as np

    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise InputError("images need Pillow, which is in the extra plot: pip install 'mnist-bp[plot]'") from error
    rows, columns = shape
    try:
        with path.open("rb") as file:
            content = io.BytesIO(file.read(LIMIT + 1))  # a file would make room at once for whatever a header claims
        if content.getbuffer().nbytes > LIMIT:
            raise InputError(f"{path} is larger than {LIMIT:,} bytes: resize it")
        with warnings.catch_warnings(action="ignore"), Image.open(content, formats=FORMATS) as image:
            if image.size != (columns, rows):
                width, height = image.size
                raise InputError(
                    f"{path} has {width} × {height} pixels; this network takes {columns} × {rows}: resize it"
                )
            return np.asarray(image.convert("L"))
    except InputError:
        raise
    except UnidentifiedImageError:
        raise InputError(f"{path} is not an image that can be read: expected {', '.join(FORMATS)}") from None
    # What Pillow raises on damaged bytes is not documented: all of it means the same here.
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputError(f"cannot read the image {path}: {reason}") from error
