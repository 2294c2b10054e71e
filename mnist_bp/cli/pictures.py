"""Pictures that a command line names: files, folders of files, and the classes that their names state."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mnist_bp.data.image_file import ENDINGS, STDIN
from mnist_bp.reports.class_names import ClassNames

__all__ = ["LABELS", "Picture", "expanded", "label_of"]

LABELS: dict[str, tuple[Callable[[Path], str], str]] = {
    "folders": (lambda path: path.absolute().parent.name, "its folder, like 3/x.png"),
    "names": (lambda path: re.split(r"[^\w]|_", path.stem)[-1], "the end of its name, like x_3.png"),
}
"""Places of a picture's class in its path, by name: the text there, and a description."""


class Picture(NamedTuple):
    """A file, or standard input. ``is_found`` is True if a folder was named, not the file itself."""

    path: Path
    is_found: bool

    @property
    def name(self) -> str:
        """Return its name for messages."""
        return "standard input" if self.path == STDIN else str(self.path)


def expanded(paths: Sequence[Path]) -> Iterator[Picture]:
    """Yield the pictures of a command line: each file, and the files below each folder, by name."""
    for path in paths:
        if path == STDIN or not path.is_dir():
            yield Picture(path, is_found=False)
            continue
        files = sorted(each for each in path.rglob("*") if each.suffix.lower() in ENDINGS and each.is_file())
        yield from (Picture(each, is_found=True) for each in files or [path])


def label_of(path: Path, labels: str, classes: ClassNames, count: int) -> int | None:
    """Return the class that a path states, by number or name; None if it states no class of ``count``."""
    text = LABELS[labels][0](path)
    if text in classes.names:
        return classes.names.index(text)
    if re.fullmatch(r"\d{1,3}", text, re.ASCII) and int(text) < count:
        return int(text)
    return None
