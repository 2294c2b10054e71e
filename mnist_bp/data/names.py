"""Names of datasets and files, in a module that can be imported without numpy."""

from collections.abc import Callable
from typing import Literal

__all__ = [
    "CLASSES",
    "DEFAULT",
    "FILE_NAMES",
    "MOST_STRENGTH",
    "NO_AUGMENTATION",
    "OWN",
    "SYNTHETIC",
    "DatasetName",
    "Notice",
    "Progress",
    "PublishedName",
    "SplitName",
]

PublishedName = str
DatasetName = str
SplitName = Literal["test", "train"]

SYNTHETIC = "synthetic"

OWN = "own"
"""Name of the user's files in the data folder, if their layout has no other name for them."""

DEFAULT = "mnist"
"""Name of the default dataset."""

CLASSES = 10
"""Number of classes of the datasets of digits."""

NO_AUGMENTATION = "none"

FILE_NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
"""Names of the four files of a dataset, as MNIST's authors chose them."""

Progress = Callable[[str, int, int], None]
"""Callback(file name, bytes so far, total bytes) of a download. It counts decompressed bytes and reaches the total only
after verification.

While synthetic digits are drawn, the arguments are ``SYNTHETIC``, the number of digits drawn and their total."""

Notice = Callable[[str], None]
"""Callback(message) for a problem that was repaired."""

MOST_STRENGTH = 10.0
"""Largest strength of an augmentation, in multiples of the default."""
