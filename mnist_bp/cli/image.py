"""Somebody's own image, as the network takes it."""

from pathlib import Path
from typing import TYPE_CHECKING

from mnist_bp.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["read_image"]


def read_image(path: Path, shape: tuple[int, ...]) -> "NDArray[np.uint8]":
    """Read a picture of exactly ``shape`` (rows, columns) pixels as grey levels, 0 dark to 255 light.

    Raises
    ------
    InputError
        If Pillow is not installed, or the file is not a picture of that size.
    """
    import numpy as np

    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise InputError("images need Pillow, which is in the extra plot: pip install 'mnist-bp[plot]'") from error
    rows, columns = shape
    try:
        with Image.open(path) as image:
            if image.size != (columns, rows):
                width, height = image.size
                raise InputError(
                    f"{path} has {width} × {height} pixels; this network takes {columns} × {rows}: resize it"
                )
            return np.asarray(image.convert("L"))
    except UnidentifiedImageError:
        raise InputError(f"{path} is not an image that can be read: expected PNG, JPEG or the like") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot read the image {path}: {getattr(error, 'strerror', None) or error}") from error
