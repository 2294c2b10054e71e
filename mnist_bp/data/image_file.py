"""Somebody's own picture of a digit, as the network takes it."""

import io
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mnist_bp.environment import user_path
from mnist_bp.errors import InputError
from mnist_bp.shell import install_command

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

__all__ = ["STDIN", "image_path", "read_image", "require_pillow"]

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "PPM")
"""Those that Pillow decodes by itself: to open a PostScript file, for one, it would run it."""

MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16", "I;16B")
"""How Pillow names the kinds of pixels that are read: all but floating-point numbers, which have no black and white."""

MOST_BYTES = 64 << 20
"""Of a file: three times what a telephone's photo takes."""

PIECE = 1 << 16
"""Bytes that are read at once: room for all that might be there would be made before they are."""

MOST_PIXELS = 64 << 20
"""Of a picture: a photo of 64 megapixels. Its pixels take at most nine bytes each, 0.6 GB, while it is made smaller."""

SIDE = 1024
"""Pixels: a longer picture is averaged down to half to all of that, at once. What is left of a digit is plenty."""

STDIN = Path("-")


def image_path(text: str) -> Path:
    """Return the path of an image that a user wrote; ``-`` is standard input, ``./-`` a file of that name."""
    if text == "-":
        return STDIN
    path = user_path(text)
    return path.absolute() if path == STDIN else path


def require_pillow() -> None:
    """InputError with the command that installs it, where Pillow is not."""
    try:
        import PIL.Image  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise InputError(f"images need Pillow, which is in the extra plot: {install_command('plot')}") from error


def read_image(path: Path, shape: tuple[int, int]) -> "NDArray[np.uint8]":
    """Read a picture of one digit and preprocess it for a network that takes ``shape`` (rows, columns).

    It is turned as the camera was held; what is transparent is white paper; of an animation, the first picture counts.
    ``STDIN`` stands for standard input.

    Raises
    ------
    InputError
        If Pillow is not installed, or the file is not a picture in one of ``FORMATS``, too large, or shows no digit.
    """
    from mnist_bp.data.preprocess import preprocess

    require_pillow()
    name = "standard input" if path == STDIN else str(path)
    try:
        grey = _grey_levels(_content(path), max(SIDE, *shape))
    except InputError as error:
        raise InputError(f"{name} {error}") from error
    except MemoryError:
        raise
    # What Pillow raises on damaged bytes is not documented: all of it means the same here.
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputError(f"cannot read the image {name}: {reason}") from error
    try:
        return preprocess(grey, shape)
    except InputError as error:
        raise InputError(f"{name} {error}") from error


def _content(path: Path) -> io.BytesIO:
    """The bytes of a file, or of standard input."""
    if path == STDIN:
        if sys.stdin is None:
            raise InputError("is closed")
        return _read(sys.stdin.buffer)
    with path.open("rb") as file:
        return _read(file)


def _read(file: BinaryIO) -> io.BytesIO:
    """What is in a file that is not too large; of one without end, no more than that is read."""
    content = io.BytesIO()
    while piece := file.read(PIECE):
        content.write(piece)
        if content.tell() > MOST_BYTES:
            raise InputError(f"is larger than {MOST_BYTES:,} bytes: resize it")
    if not content.tell():
        raise InputError("is empty")
    return content


def _grey_levels(content: io.BytesIO, side: int) -> "NDArray[np.float64]":
    """Grey levels from 0 to 255, (rows, columns), neither of them more than ``side``."""
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(content, formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            if image.mode not in MODES:
                raise InputError(f"has pixels of a kind that is not read ({image.mode}): save it as PNG")
            image.draft("L", (side, side))  # a JPEG file can be decoded to a fraction of its size
            smaller = _reduced(image, side)
            upright = ImageOps.exif_transpose(smaller)
            levels = np.asarray(_on_white(upright), np.float64)
            return levels / 257 if smaller.mode == "I" else levels  # 16 bits: 65,535 is white
    except Image.DecompressionBombError:
        raise InputError(f"has more than {MOST_PIXELS:,} pixels: resize it") from None
    except UnidentifiedImageError:
        raise InputError(f"is not an image that can be read: expected {', '.join(FORMATS)}") from None


def _reduced(image: "Image", side: int) -> "Image":
    """The picture with means of squares of pixels for pixels, in a mode that means can be taken in."""
    if image.mode.startswith("I"):
        image = image.convert("I")
    elif image.mode in {"P", "PA"} or "transparency" in image.info:
        image = image.convert("RGBA")
    elif image.mode == "1":
        image = image.convert("L")
    return image.reduce(-(-max(image.size) // side))


def _on_white(image: "Image") -> "Image":
    """The picture in grey levels, on white paper where it is transparent."""
    from PIL import Image

    if image.mode == "I":
        return image
    if not image.has_transparency_data:
        return image.convert("L")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("L")
