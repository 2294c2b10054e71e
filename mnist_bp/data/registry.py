"""Registry entries of the datasets: authors, files, hashes and mirrors, or the function that draws them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, digits
from typing import TYPE_CHECKING

from mnist_bp.data.names import CLASSES, FILE_NAMES, OWN, SYNTHETIC, PublishedName, SplitName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "ENTRIES",
    "DatasetEntry",
    "GeneratedDataset",
    "ImportedDataset",
    "PublishedDataset",
    "PublishedFile",
    "UserFiles",
]

IDX_BYTES = (47_040_016, 60_008, 7_840_016, 10_008)
"""Sizes in bytes of the four files, with 60,000 and 10,000 images of 28 × 28 as in all three datasets."""


@dataclass(frozen=True)
class PublishedFile:
    """A published file: its name, its decompressed size in bytes, and its known SHA-256 checksums.

    ``sha256`` is the checksum of the content, if known, because mirrors compress it differently. ``gzip_sha256`` is the
    checksum of the publisher's .gz file. Either one verifies a file.
    """

    name: str
    size: int
    gzip_sha256: str
    sha256: str | None = None


@dataclass(frozen=True)
class PublishedDataset:
    """A dataset that can be downloaded: its authors, its four files, and the mirrors of their .gz, in order.

    ``torchvision`` is the name of the dataset's folder in torchvision. ``class_names`` are the names of its classes, if
    they are not digits.
    """

    name: PublishedName
    makers: str
    files: tuple[PublishedFile, ...]
    mirrors: tuple[str, ...]
    torchvision: str
    class_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class GeneratedDataset:
    """A dataset that this program generates; it must always be called synthetic.

    Attributes
    ----------
    name
        Name of the dataset in the registry.
    makers
        Description of its origin.
    version
        Version of the generator. Increase it whenever the images change: stored images of other versions are not read.
    examples
        Numbers of training and test examples.
    draw
        (number of examples, split, progress) ↦ images, uint8 (n, rows, columns), and labels, uint8 (n,). The first
        examples do not depend on the number. ``progress`` is called with the number of examples drawn so far.
    """

    name: str
    makers: str
    version: int
    examples: Mapping[SplitName, int]
    draw: "Callable[[int, SplitName, Callable[[int], object] | None], tuple[NDArray[np.uint8], NDArray[np.uint8]]]"
    class_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportedDataset:
    """A dataset that no mirror serves file by file: the user downloads it from its authors, and imports it.

    Attributes
    ----------
    name
        Name of the dataset in the registry, and beginning of the names of its files.
    makers
        Its authors.
    archive, page
        Name of the authors' archive, and the page that links to it.
    torchvision
        Name of the dataset's folder in torchvision.
    classes
        Number of classes.
    class_names
        Names of the classes, if they are not digits and no file names them.
    first_label
        Smallest label in the files.
    is_transposed
        True if rows and columns of the images in the files are exchanged.
    """

    name: str
    makers: str
    archive: str
    page: str
    torchvision: str
    classes: int = CLASSES
    class_names: tuple[str, ...] = ()
    first_label: int = 0
    is_transposed: bool = False


@dataclass(frozen=True)
class UserFiles:
    """The user's files in the data folder."""

    name: str
    makers: str
    class_names: tuple[str, ...] = ()


MERGED = digits + ascii_uppercase + "abdefghnqrt"
"""Classes of EMNIST in which lower-case letters that look like their upper-case letter are counted as that."""

DatasetEntry = PublishedDataset | GeneratedDataset | ImportedDataset | UserFiles


def _files(gzip_sums: tuple[str, ...], sums: tuple[str | None, ...] = (None,) * 4) -> tuple[PublishedFile, ...]:
    return tuple(map(PublishedFile, FILE_NAMES, IDX_BYTES, gzip_sums, sums))


def _emnist(split: str, class_names: Iterable[str] = (), first_label: int = 0) -> ImportedDataset:
    names = tuple(class_names)
    return ImportedDataset(
        f"emnist-{split}",
        "Gregory Cohen, Saeed Afshar, Jonathan Tapson and André van Schaik",
        "gzip.zip",
        "https://www.nist.gov/itl/products-and-services/emnist-dataset",
        "EMNIST",
        len(names) or CLASSES,
        names,
        first_label,
        is_transposed=True,
    )


def _draw_synthetic(
    examples: int, split: SplitName, progress: "Callable[[int], object] | None"
) -> "tuple[NDArray[np.uint8], NDArray[np.uint8]]":
    from mnist_bp.data import synthetic

    return synthetic.digits(examples, seed=0, split=split, progress=progress)


ENTRIES: dict[str, DatasetEntry] = {
    dataset.name: dataset
    for dataset in (
        PublishedDataset(
            "mnist",
            "Yann LeCun, Corinna Cortes and Christopher J. C. Burges",
            _files(
                (
                    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                ),
                (
                    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                ),
            ),
            (
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
            ),
            "MNIST",
        ),
        PublishedDataset(
            "fashion-mnist",
            "Han Xiao, Kashif Rasul and Roland Vollgraf (Zalando Research)",
            _files(
                (
                    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                )
            ),
            ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
            "FashionMNIST",
            (
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ),
        ),
        PublishedDataset(
            "kmnist",
            "Tarin Clanuwat, Mikel Bober-Irizar, Asanobu Kitamoto, Alex Lamb, Kazuaki Yamamoto and David Ha (CODH)",
            _files(
                (
                    "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                    "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                    "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                    "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
                )
            ),
            ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
            "KMNIST",
            ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        ),
        _emnist("digits"),
        _emnist("letters", (f"{upper}/{upper.lower()}" for upper in ascii_uppercase), 1),
        _emnist("balanced", MERGED),
        _emnist("byclass", digits + ascii_uppercase + ascii_lowercase),
        _emnist("bymerge", MERGED),
        _emnist("mnist"),
        ImportedDataset(
            "qmnist",
            "Chhavi Yadav and Léon Bottou",
            "qmnist-train-images-idx3-ubyte.gz and three more",
            "https://github.com/facebookresearch/qmnist",
            "QMNIST",
        ),
        GeneratedDataset(
            SYNTHETIC, "this program, at its first use", 1, {"train": 60_000, "test": 10_000}, _draw_synthetic
        ),
        UserFiles(OWN, "you"),
    )
}
"""Built-in entries of ``choices.DATASETS``."""
