"""The names of datasets, files and distortions; apart from the code that works on them: naming needs no numpy."""

from collections.abc import Callable
from typing import Literal

__all__ = [
    "FILE_NAMES",
    "MOST_STRENGTH",
    "SYNTHETIC",
    "AugmentName",
    "DatasetName",
    "DistortionName",
    "Notice",
    "Progress",
    "PublishedName",
    "SplitName",
]

PublishedName = Literal["mnist", "fashion-mnist", "kmnist"]
DatasetName = Literal[PublishedName, "synthetic"]
SplitName = Literal["test", "train"]
DistortionName = Literal["shift", "affine", "elastic"]
AugmentName = Literal["none", DistortionName]

SYNTHETIC: Literal["synthetic"] = "synthetic"

FILE_NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
"""The four files of a dataset, as MNIST's makers named them."""

Progress = Callable[[str, int, int], None]
"""Told of a download: a file's name, its bytes so far and its bytes in all, decompressed; all only once verified."""

Notice = Callable[[str], None]
"""Told, in a line for people, of something that went wrong and was put right."""

MOST_STRENGTH = 10.0
"""Of an augmentation, in multiples of the usual one."""
