"""Names of datasets and files, apart from the code that works on them: naming needs no numpy."""

from collections.abc import Callable
from typing import Literal

__all__ = [
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
"""The user's files in the data folder, which no layout gives another name."""

DEFAULT = "mnist"
"""The dataset that is meant where none is named."""

NO_AUGMENTATION = "none"

FILE_NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
"""The four files of a dataset, as MNIST's makers named them."""

Progress = Callable[[str, int, int], None]
"""Callback of a download: a file's name, its bytes so far and its bytes in all, decompressed; all only once verified.

While synthetic digits are drawn: ``SYNTHETIC``, the digits so far and the digits in all."""

Notice = Callable[[str], None]
"""Told, in a line for people, of something that went wrong and was put right."""

MOST_STRENGTH = 10.0
"""Of an augmentation, in multiples of the usual one."""
