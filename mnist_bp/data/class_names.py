"""Names of the classes of a dataset, from a text file."""

import re
from collections.abc import Sequence

from mnist_bp.data.zip_member import DAMAGED, Stored, open_stored
from mnist_bp.errors import InputError

__all__ = ["MOST_CLASSES", "NAMES_FILE", "checked_names", "read_class_names", "unless_digits"]

NAMES_FILE = "class-names.txt"
"""Name of the file with class names beside the four files of a dataset in the cache."""

MOST_CLASSES = 256
"""Largest number of classes: labels are stored as bytes."""

MOST_BYTES = 1 << 16

LONGEST_NAME = 100
"""Largest number of characters of a name."""

MAPPING = re.compile(r"\d{1,3}(\s+\d{1,7})+")
"""Line of EMNIST's mapping files: a label and the character codes of its class, such as 1 65 97 for A and a."""


def read_class_names(file: Stored) -> tuple[str, ...]:
    """Read the names of the classes, that of label 0 (in EMNIST's mapping files, of the smallest label) first.

    Each line has one name, or, in EMNIST's mapping files, a label and character codes.

    Raises
    ------
    InputError
        If the file cannot be read, or its names are not valid.
    """
    try:
        with open_stored(file) as (stream, _, _):
            content = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{file}: no such file; expected the names of the classes") from None
    except (OSError, *DAMAGED) as error:
        raise InputError(f"{file}: cannot be read ({error})") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{file} is not UTF-8 text; expected the name of a class on each line") from None
    if len(content) > MOST_BYTES:
        raise InputError(f"{file} has more than {MOST_BYTES:,} bytes; expected the name of a class on each line")
    lines = [line.strip() for line in text.strip().splitlines()]
    if lines and all(map(MAPPING.fullmatch, lines)):
        lines = _mapped(lines)
    return checked_names(lines, str(file))


def checked_names(names: Sequence[str], where: str) -> tuple[str, ...]:
    """Return names of classes. Raise InputError, which begins with ``where``, if they are not valid."""
    if not 1 <= len(names) <= MOST_CLASSES:
        raise InputError(f"{where}: {len(names):,} classes; expected 1 to {MOST_CLASSES}")
    for number, name in enumerate(names):
        if not name or not name.isprintable() or len(name) > LONGEST_NAME:
            raise InputError(
                f"{where}: class {number} is named {name[:20]!r}; expected 1 to {LONGEST_NAME} printable characters"
            )
        if name in names[:number]:
            raise InputError(f"{where}: classes {names.index(name)} and {number} are both named {name[:20]!r}")
    return tuple(names)


def unless_digits(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of classes, or an empty tuple if they are the numbers 0, 1, 2, … themselves."""
    return () if list(names) == [str(number) for number in range(len(names))] else tuple(names)


def _mapped(lines: Sequence[str]) -> list[str]:
    """Return the names in the lines of a mapping, by increasing label. Names of several characters contain a slash."""
    codes = {int(label): [int(code) for code in rest] for label, *rest in map(str.split, lines)}
    names = (dict.fromkeys(chr(code) for code in codes[label] if code <= 0x10FFFF) for label in sorted(codes))
    return ["/".join(each) for each in names]
