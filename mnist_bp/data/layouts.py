"""Formats in which people have datasets, described once for help, errors and README. This module needs no numpy."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["EXPECTED", "FORMATS", "IN_HELP", "MANUAL", "REFUSED", "Format", "Refused", "table_rows"]

MANUAL = Path(__file__).with_name("README.md")
"""Manual of this package, which is installed with it."""


class Format(NamedTuple):
    """Description of a format: a word for it, what the user has, and the table of the manual.

    Attributes
    ----------
    word, what
        Short descriptions for the help and for errors.
    options
        Options of ``train`` for each thing that a user may have, in Markdown.
    """

    word: str
    what: str
    options: Mapping[str, str]


FORMATS: dict[str, Format] = {
    "idx": Format(
        "IDX files",
        "train-images-idx3-ubyte and three more, plain, .gz or in a .zip, also as torchvision and Kaggle store them",
        {
            "MNIST's four files, plain, `.gz` or in a `.zip`, under any of their names": "--data-dir FOLDER",
            "a folder of torchvision (`FOLDER/MNIST/raw`), or Kaggle's `archive.zip` or its unpacked folders": (
                "--data-dir FOLDER"
            ),
            "your own dataset as four IDX files: any image size, up to 256 classes": "--data-dir FOLDER",
            "QMNIST's four files (`qmnist-train-images-idx3-ubyte.gz`, …)": "--dataset qmnist --data-dir FOLDER",
        },
    ),
    "csv": Format(
        "CSV files",
        "train.csv and test.csv, an image in each row, its label first",
        {
            "`train.csv` and `test.csv`: an image in each row, its label in the first or last column, with or without "
            "header": "--data-dir FOLDER",
            "Kaggle's Digit Recognizer, whose `test.csv` has no labels; or only a training set in any format": (
                "--data-dir FOLDER --test-split 0.2"
            ),
        },
    ),
    "npz": Format(
        "npz files",
        "x_train, y_train, x_test and y_test in one file or in four",
        {
            "Keras' `mnist.npz`, or `.npz` and `.npy` files of one array each, such as K49's": "--data-dir mnist.npz",
        },
    ),
    "pictures": Format(
        "pictures",
        "a folder for each class: train/cat/1.png, test/cat/2.png",
        {
            "pictures in a folder for each class: `train/cat/1.png`, `test/cat/2.png` (all of one size)": (
                "--data-dir FOLDER"
            ),
            "the same without `train` and `test`: `cat/1.png`": "--data-dir FOLDER --test-split 0.2",
        },
    ),
}
"""Formats by name, in the order in which they are tried. ``formats.READERS`` has the reader of each."""

CHANGES = {
    "images that are dark on light": "--invert",
    "images with rows and columns exchanged": "--transpose",
    "names of the classes in a text file, one on each line": "--class-names FILE",
}
"""Options to add for what a dataset may be in any format."""

IN_HELP = f"Formats of your own dataset: {'; '.join(f'{each.word} ({each.what})' for each in FORMATS.values())}."
"""Paragraph for the help of the commands that take ``--data-dir``."""

EXPECTED = f"{', '.join(each.word for each in FORMATS.values())} (listed at the end of --help)"
"""Short list for error messages."""


class Refused(NamedTuple):
    """Format that is not read: a word for it, ends of its files' names, and two lines of Python that convert it."""

    word: str
    endings: tuple[str, ...]
    code: str


REFUSED = (
    Refused(
        "pickle",
        (".pkl", ".pkl.gz", ".pickle"),
        """\
import gzip, numpy, pickle; (x, y), _, (u, v) = pickle.load(gzip.open("mnist.pkl.gz"), encoding="latin1")
numpy.savez("mnist.npz", x_train=256 * x, y_train=y, x_test=256 * u, y_test=v)""",
    ),
    Refused(
        "pickle of PyTorch",
        (".pt", ".pth"),
        """\
import numpy, torch; (x, y), (u, v) = torch.load("training.pt"), torch.load("test.pt")
numpy.savez("mnist.npz", x_train=x, y_train=y, x_test=u, y_test=v)""",
    ),
    Refused(
        "MATLAB file",
        (".mat",),
        """\
import numpy, scipy.io; d = scipy.io.loadmat("emnist-letters.mat", simplify_cells=True)["dataset"]
numpy.savez("emnist-letters.npz", **{f"{s}_{p}": d[s][p] for s in ("train", "test") for p in ("images", "labels")})""",
    ),
)
"""Formats that are refused by name, because reading a pickle can run any program. The manual has their code."""


def table_rows() -> Iterator[str]:
    """Yield the rows of the manual's table about the user's own files, in Markdown."""
    for each in FORMATS.values():
        yield from (f"| {have} | `mnist-bp train {options}` |" for have, options in each.options.items())
    yield from (f"| {have} | add `{option}` |" for have, option in CHANGES.items())
