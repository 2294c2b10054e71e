"""Datasets of pictures, with a folder for each class: ``train/0/a.png`` and ``test/0/b.png``, or ``0/a.png`` alone.

The names of the folders are the names of the classes. All pictures must have the same size, which is not changed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np

from mnist_bp.data.class_names import checked_names, unless_digits
from mnist_bp.data.image_file import ENDINGS, MOST_BYTES, grey_image, require_pillow
from mnist_bp.data.readers.source import Arrays, LabelledSet, Source
from mnist_bp.data.readers.spelling import spelled
from mnist_bp.data.tree import Folder
from mnist_bp.data.zip_member import Stored, read_all
from mnist_bp.errors import InputError

__all__ = ["find"]

Classes = Mapping[str, Folder]
"""Folders of pictures by the name of the class."""


def find(folder: Folder) -> Iterator[Source | InputError]:
    """Yield the dataset in a folder, if there is one."""
    halves = {spelled(name).split: each for name, each in folder.folders.items()}
    is_split = "train" in halves
    train = _classes(halves["train"] if is_split else folder)
    if not train:
        return
    test = _classes(halves["test"]) if is_split and "test" in halves else {}
    without = f"{halves['test'].path.name} has no folder for each class" if "test" in halves else "no folder test"
    names = _sorted({*train, *test})
    yield Source(
        _labelled_set(train, names),
        _labelled_set(test, names) if test else None,
        files=(),
        no_test=without,
        class_names=lambda: unless_digits(checked_names(names, str(folder.path))),
    )


def _classes(folder: Folder) -> Classes:
    """Return the folders of classes, or nothing if a folder is something else. Empty folders do not count."""
    folders = {name: each for name, each in folder.folders.items() if each.files or each.folders}
    are_classes = all(spelled(name).split is None and _has_pictures(each) for name, each in folders.items())
    return folders if are_classes else {}


def _has_pictures(folder: Folder) -> bool:
    return any(map(_is_picture, folder.files))


def _is_picture(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def _sorted(names: set[str]) -> list[str]:
    """Return names in alphabetical order, or, if they are whole numbers, by size."""
    return sorted(names, key=lambda name: (int(name), name)) if all(map(str.isdecimal, names)) else sorted(names)


def _labelled_set(classes: Classes, names: Sequence[str]) -> LabelledSet:
    where = str(next(iter(classes.values())).path.parent)
    return LabelledSet(where, where, lambda: _read(classes, names))


def _read(classes: Classes, names: Sequence[str]) -> Arrays:
    require_pillow()
    by_class = {name: _pictures(folder) for name, folder in classes.items()}
    files = list(chain.from_iterable(by_class.values()))
    images = None
    for number, (file, content) in enumerate(read_all(files, MOST_BYTES)):
        image = grey_image(content, str(file))
        if images is None:
            images = np.empty((len(files), *image.shape), np.uint8)
        if image.shape != images.shape[1:]:
            size, expected = (f"{rows} × {columns}" for rows, columns in (image.shape, images.shape[1:]))
            raise InputError(
                f"{file} has {size} pixels, and {files[0].name} {expected}: resize all pictures to one size"
            )
        images[number] = image
    assert images is not None
    labels = [names.index(name) for name in by_class]
    return Arrays(images, np.repeat(labels, [len(each) for each in by_class.values()]))


def _pictures(folder: Folder) -> Collection[Stored]:
    """Return the pictures of a class. Raise InputError if there is anything else."""
    other = next(
        (name for name in (*folder.folders, *folder.files) if name in folder.folders or not _is_picture(name)), None
    )
    if other is not None:
        raise InputError(
            f"{folder.path / other} is not a picture ({', '.join(ENDINGS)}): remove it from the folder of the class"
        )
    return folder.files.values()
