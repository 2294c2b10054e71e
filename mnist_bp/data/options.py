"""Options for reading a dataset: facts about the user's files that the files do not state."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["NO_OPTIONS", "DataOptions"]


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Options for reading a dataset.

    Attributes
    ----------
    classes
        Number of classes of the user's own files, 1 to 256. None: the number of class names, or the largest label + 1.
    class_names
        File with the names of the classes, see ``class_names.read_class_names``.
    test_split
        Fraction of the training set that becomes the test set of a dataset without one.
    transpose
        True to exchange rows and columns of all images.
    invert
        True to exchange black and white in all images.
    """

    classes: int | None = None
    class_names: Path | None = None
    test_split: float | None = None
    transpose: bool = False
    invert: bool = False


NO_OPTIONS = DataOptions()
