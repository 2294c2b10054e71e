"""Formats in which people have datasets, described once for help, errors and README. This module needs no numpy."""

from typing import NamedTuple

__all__ = ["EXPECTED", "FORMATS", "IN_HELP", "REFUSED", "Format", "Refused"]


class Format(NamedTuple):
    """Description of a format: a word for it, and what the user has."""

    word: str
    what: str


FORMATS: dict[str, Format] = {
    "idx": Format(
        "IDX files",
        "train-images-idx3-ubyte and three more, plain, .gz or in a .zip, also as torchvision and Kaggle store them",
    ),
    "csv": Format(
        "CSV files",
        "train.csv and test.csv, an image in each row, its label first",
    ),
    "npz": Format(
        "npz files",
        "x_train, y_train, x_test and y_test in one file or in four",
    ),
    "pictures": Format(
        "pictures",
        "a folder for each class: train/cat/1.png, test/cat/2.png",
    ),
}
"""Formats by name, in the order in which they are tried. ``formats.READERS`` has the reader of each."""

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
numpy.savez("mnist.npz", x_train=numpy.uint8(256 * x), y_train=y, x_test=numpy.uint8(256 * u), y_test=v)""",
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
"""Formats that are refused by name, because reading a pickle can run any program."""
