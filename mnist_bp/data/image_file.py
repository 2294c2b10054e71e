"""Reading of the user's image files, converted to network inputs."""

import io
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mnist_bp.environment import user_path
from mnist_bp.errors import InputError
from mnist_bp.shell import install_command
from mnist_bp.storage.regular_file import open_regular

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from mnist_bp.data.preprocess import Look, Preprocessed

__all__ = ["ENDINGS", "MOST_BYTES", "STDIN", "grey_image", "image_path", "read_image", "read_picture", "require_pillow"]

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "PPM", "WEBP", "TIFF")
"""Supported image formats. Pillow decodes them itself; opening a PostScript file, for example, would execute it."""

OTHER_FORMATS = (
    (rb".{4}ftyp(heic|heix|hevc|mif1|msf1)", "a HEIC image"),
    (rb".{4}ftypavif", "an AVIF image"),
    (rb"%PDF", "a PDF document"),
    (rb"(?i)\s*(<!doctype html|<html)", "a web page"),
    (rb"(?i)\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!doctype svg|<svg)", "an SVG drawing"),
    (rb"%!PS", "a PostScript document"),
    (rb"8BPS", "a Photoshop document"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"\x1f\x8b", "a gzip file"),
    (rb"\x93NUMPY", "a NumPy array"),
)
"""Formats that are not supported, by the beginning of their files, with a noun for messages."""
ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".ppm", ".pgm", ".pbm", ".webp", ".tif", ".tiff")
"""Ends of the names of files in these formats."""

MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16", "I;16B")
"""Supported pixel modes of Pillow. Floating-point pixels are not supported, because they define no black and white."""

MOST_BYTES = 64 << 20
"""Largest size of an image file in bytes, about three times a phone's photo."""

PIECE = 1 << 16
"""Number of bytes to read at a time. Reading all at once would allocate memory for the maximum first."""

MOST_PIXELS = 64 << 20
"""Largest number of pixels of an image, 64 megapixels. Reducing it takes at most 9 bytes a pixel, 0.6 GB."""

SIDE = 512
"""Longest side in pixels after the first reduction. A larger image is averaged down to between half and all of it. This
removes noise, and leaves 25 pixels or more of a digit a tenth as high as the picture; those of MNIST have 20."""

WHITE = 255

OPAQUE = 128
"""Smallest alpha value, of 255, of pixels that count as opaque."""

LEAST_PAPER_CONTRAST = 64
"""Smallest range of the opaque pixels' grey levels in a picture of ink on paper. With less, they are ink alone."""

STDIN = Path("-")


def image_path(text: str) -> Path:
    """Return the path of an image from the command line. ``-`` is standard input, ``./-`` a file of that name."""
    if text == "-":
        return STDIN
    path = user_path(text)
    return path.absolute() if path == STDIN else path


def require_pillow() -> None:
    """Raise InputError with the command that installs Pillow, if it is not installed."""
    try:
        import PIL.Image  # noqa: F401 - checks that it is installed
    except ImportError as error:
        raise InputError(f"images need Pillow, which is in the extra plot: {install_command('plot')}") from error


def read_image(path: Path, shape: tuple[int, int]) -> "NDArray[np.uint8]":
    """Return the image of ``read_picture`` for a network that was trained on digits like those of MNIST."""
    from mnist_bp.data.preprocess import Look

    return read_picture(path, shape, Look()).image


def read_picture(path: Path, shape: tuple[int, int], look: "Look") -> "Preprocessed":
    """Read an image of one digit and preprocess it for a network with inputs of ``shape`` (rows, columns).

    ``look`` is the appearance of the images that the network was trained on.

    The orientation in the file's metadata is applied, transparent pixels become paper, and an animation is represented
    by its first frame. ``STDIN`` stands for standard input.

    Raises
    ------
    InputError
        If Pillow is not installed, or the file is not an image in one of ``FORMATS``, is too large, or shows no digit.
    """
    from mnist_bp.data.preprocess import prepare

    require_pillow()
    name = "standard input" if path == STDIN else str(path)
    grey = _decoded(lambda: _content(path), name, max(SIDE, *shape))
    try:
        return prepare(grey, shape, look)
    except InputError as error:
        raise InputError(f"{name} {error}") from error


def grey_image(content: bytes, name: str) -> "NDArray[np.uint8]":
    """Return an image in grey levels, (rows, columns), in its own size, without preprocessing.

    ``name`` is its name for error messages. Raise InputError as ``read_image`` does.
    """
    import numpy as np

    return np.rint(_decoded(lambda: io.BytesIO(content), name, MOST_PIXELS)).astype(np.uint8)


def _decoded(read: Callable[[], io.BytesIO], name: str, side: int) -> "NDArray[np.float64]":
    """Return the grey levels of the image whose bytes ``read`` returns, see ``_grey_levels``."""
    try:
        return _grey_levels(read(), side)
    except InputError as error:
        raise InputError(f"{name} {error}") from error
    except MemoryError:
        raise
    # The exceptions of Pillow for damaged bytes are undocumented, so any of them is handled here.
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputError(f"cannot read the image {name}: {reason}") from error


def _content(path: Path) -> io.BytesIO:
    """Return the bytes of a file, or of standard input."""
    if path == STDIN:
        if sys.stdin is None:
            raise InputError("is closed")
        return _read(sys.stdin.buffer)
    if path.is_dir():
        raise InputError(f"is a folder without pictures: expected files that end in {', '.join(ENDINGS)}")
    with open_regular(path) as file:
        return _read(file)


def _read(file: BinaryIO) -> io.BytesIO:
    """Return the content of a file. Raise InputError if it is too large, without reading more than the limit."""
    content = io.BytesIO()
    while piece := file.read(PIECE):
        content.write(piece)
        if content.tell() > MOST_BYTES:
            raise InputError(f"is larger than {MOST_BYTES:,} bytes: resize it")
    if not content.tell():
        raise InputError("is empty")
    return content


def _grey_levels(content: io.BytesIO, side: int) -> "NDArray[np.float64]":
    """Return grey levels from 0 to 255, (rows, columns), with at most ``side`` rows and columns."""
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(content, formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            if image.mode not in MODES:
                raise InputError(f"has an unsupported pixel mode ({image.mode}): save it as PNG")
            image.draft("L", (side, side))  # a JPEG file can be decoded to a fraction of its size
            smaller = _reduced(image, side)
            upright = ImageOps.exif_transpose(smaller)
            levels = np.asarray(_without_transparency(upright), np.float64)
            return levels / 257 if smaller.mode == "I" else levels  # 16 bits: 65,535 is white
    except Image.DecompressionBombError:
        raise InputError(f"has more than {MOST_PIXELS:,} pixels: resize it") from None
    except UnidentifiedImageError:
        start = content.getvalue()[:1024]
        what = next((noun for form, noun in OTHER_FORMATS if re.match(form, start, re.DOTALL)), "not a supported image")
        raise InputError(f"is {what}: expected {', '.join(FORMATS)}") from None


def _reduced(image: "Image", side: int) -> "Image":
    """Return the image reduced by averaging squares of pixels, in a mode that supports averaging."""
    if image.mode.startswith("I"):
        image = image.convert("I")
    elif image.mode in {"P", "PA"} or "transparency" in image.info:
        image = image.convert("RGBA")
    elif image.mode == "1":
        image = image.convert("L")
    return image.reduce(-(-max(image.size) // side))


def _without_transparency(image: "Image") -> "Image":
    """Return the image in grey levels, with paper in place of transparency."""
    import numpy as np

    if image.mode == "I":
        return image
    if not image.has_transparency_data:
        return image.convert("L")
    image = image.convert("RGBA")
    alpha = image.getchannel("A")
    box = alpha.getbbox()
    if box is None:
        raise InputError("is transparent everywhere")
    levels = np.asarray(image.convert("L").crop(box))[np.asarray(alpha.crop(box)) >= OPAQUE]
    is_ink = levels.size < np.prod(alpha.crop(box).size) / 2 or np.ptp(levels) < LEAST_PAPER_CONTRAST
    middle = int(np.median(levels)) if levels.size else 0
    if is_ink:  # strokes on transparency: light ink lies on black, dark ink on white
        return _on(image, 0 if middle > WHITE // 2 else WHITE)
    return _on(image.crop(box), middle)  # a picture with a margin or round corners: most of it is paper


def _on(image: "Image", level: int) -> "Image":
    """Return an RGBA image in grey levels, on this grey level in place of transparency."""
    from PIL import Image

    return Image.alpha_composite(Image.new("RGBA", image.size, (level, level, level, 255)), image).convert("L")
