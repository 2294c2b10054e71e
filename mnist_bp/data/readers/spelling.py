"""Names of files and arrays: which part of a dataset they contain.

People call the same file ``train-images-idx3-ubyte``, ``train-images.idx3-ubyte``, ``emnist-letters-train-images…``,
``mnist_train.csv``, ``x_train`` or ``trainingSet``. Only the words in a name count, not what separates them.
"""

import re
from typing import Literal, NamedTuple

from mnist_bp.data.names import SplitName

__all__ = ["Part", "Spelled", "spelled"]

Part = Literal["images", "labels"]

SPLITS: dict[str, SplitName] = {
    **dict.fromkeys(("train", "training", "trainingset", "trainset"), "train"),
    **dict.fromkeys(("test", "testing", "testset", "t10k"), "test"),
}
PARTS: dict[str, Part] = {
    **dict.fromkeys(("images", "image", "imgs", "img", "x", "data"), "images"),
    **dict.fromkeys(("labels", "label", "y", "targets", "target"), "labels"),
}
ENDINGS = {"gz", "zip", "csv", "npz", "npy", "idx", "idx1", "idx2", "idx3", "ubyte", "int"}
"""Words that name a format."""


class Spelled(NamedTuple):
    """Meaning of a name: the set and the part in it, each None if the name does not say, and its other words."""

    split: SplitName | None
    part: Part | None
    prefix: str


def spelled(name: str) -> Spelled:
    """Return the meaning of the name of a file or of an array."""
    words = re.findall(r"[^\W_]+", name.lower())
    split = next((SPLITS[word] for word in words if word in SPLITS), None)
    part = next((PARTS[word] for word in words if word in PARTS), None)
    known = {*SPLITS, *PARTS, *ENDINGS}
    return Spelled(split, part, "-".join(word for word in words if word not in known))
