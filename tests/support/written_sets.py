"""Small datasets, written in every format that is read."""

import io
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from mnist_bp.data import idx
from mnist_bp.data.datasets import Examples
from mnist_bp.data.names import FILE_NAMES

SPLITS = ("train", "test")


def random_set(rng, shape=(6, 6), classes=3, examples=(12, 6)):
    """Return a training set and a test set of random images, with every class in each that has room for them."""
    return [
        Examples(rng.integers(0, 256, (n, *shape), np.uint8), (np.arange(n) % classes).astype(np.uint8))
        for n in examples
    ]


def repeated(examples, n):
    """Return n examples, which are the given ones again and again."""
    return examples.take(np.arange(n) % len(examples))


def assert_same(dataset, sets):
    """The dataset has these images and labels."""
    for found, expected in zip((dataset.train, dataset.test), sets, strict=True):
        np.testing.assert_array_equal(found.images, expected.images)
        np.testing.assert_array_equal(found.labels, expected.labels)


def sorted_by_class(sets):
    """Return sets in the order in which folders of classes are read."""
    return [each.take(np.argsort(each.labels, kind="stable")) for each in sets]


def write_idx(sets, folder, prefix="", *, transpose=False, first=0):
    """Write four IDX files, whose names begin with ``prefix``."""
    folder.mkdir(parents=True, exist_ok=True)
    for each, names in zip(sets, (FILE_NAMES[:2], FILE_NAMES[2:]), strict=True):
        images = each.images.transpose(0, 2, 1) if transpose else each.images
        for name, array in zip(names, (images, each.labels + np.uint8(first)), strict=True):
            with (folder / f"{prefix}{name.replace('t10k', 'test') if prefix else name}").open("wb") as file:
                idx.write(file, array)
    return folder


def csv_text(examples, *, header=True, delimiter=",", label_last=False, form="{}"):
    """Return examples as the text of a CSV file."""
    height, width = examples.images.shape[1:]
    headings = ["label", *(f"{row + 1}x{column + 1}" for row in range(height) for column in range(width))]
    cells = [form.format(level) for level in range(256)]
    rows = zip(examples.labels, examples.rows.tolist(), strict=True)
    table = [[str(label), *(cells[level] for level in row)] for label, row in rows]
    lines = [headings, *table] if header else table
    return "".join(delimiter.join([*line[1:], line[0]] if label_last else line) + "\n" for line in lines)


def write_csv(sets, folder, **options):
    """Write train.csv and test.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, each in zip(SPLITS, sets, strict=True):
        (folder / f"{name}.csv").write_text(csv_text(each, **options), encoding="utf-8")
    return folder


def named_arrays(sets):
    """Return the arrays of a dataset under Keras' names."""
    return {f"{letter}_{name}": array for name, each in zip(SPLITS, sets, strict=True) for letter, array in
            (("x", each.images), ("y", each.labels))}  # fmt: skip


def write_npz(sets, folder):
    """Write Keras' mnist.npz, and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "mnist_like.npz", **named_arrays(sets))
    return folder / "mnist_like.npz"


def write_pairs(sets, folder):
    """Write four files with one array each, as KMNIST and K49 are published."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, each in zip(SPLITS, sets, strict=True):
        np.savez_compressed(folder / f"k49-{name}-imgs.npz", each.images)
        np.savez_compressed(folder / f"k49-{name}-labels.npz", each.labels)
    return folder


def write_npy(sets, folder):
    """Write four .npy files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in named_arrays(sets).items():
        np.save(folder / f"{name}.npy", array.astype(np.float64))
    return folder


def png(image):
    """Return an image as the content of a PNG file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def write_pictures(sets, folder, names=("0", "1", "2")):
    """Write a PNG file for each example, in a folder for each class."""
    contents = cache(lambda image, shape: png(np.frombuffer(image, np.uint8).reshape(shape)))
    for split, each in zip(SPLITS, sets, strict=True):
        for number, (image, label) in enumerate(zip(each.images, each.labels, strict=True)):
            file = folder / split / names[label] / f"{number:03}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(contents(image.tobytes(), image.shape))
    return folder


WRITERS = {
    "idx": [write_idx, lambda sets, folder: write_idx(sets, folder, "my-letters-")],
    "csv": [
        write_csv,
        lambda sets, folder: write_csv(sets, folder, header=False),
        lambda sets, folder: write_csv(sets, folder, delimiter=";", label_last=True),
        lambda sets, folder: write_csv(sets, folder, form="{}.0"),
    ],
    "npz": [write_npz, write_pairs, write_npy],
    "pictures": [write_pictures],
}
"""Functions that write a dataset below a folder, and return the path for ``--data-dir``."""


def zipped(place):
    """Put a file, or all that is below a folder, into a zip archive, and return the archive."""
    archive = place.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as file:
        for path in filter(Path.is_file, sorted(place.rglob("*")) if place.is_dir() else [place]):
            file.write(path, path.relative_to(place if place.is_dir() else place.parent))
    return archive


IN_ARCHIVES = [
    (name, number, in_archive)
    for name, writers in WRITERS.items()
    for number in range(len(writers))
    for in_archive in (False, True)
    if not (in_archive and name == "npz")  # an archive in an archive is refused
]
"""Format, number of its writer, and whether the files are put into a zip archive."""
