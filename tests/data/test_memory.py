"""Memory that loading a dataset takes: at most 2.5 times that of its images and labels, in every format."""

import gc
import tracemalloc

import pytest
from written_sets import IN_ARCHIVES, WRITERS, random_set, repeated, zipped

from mnist_bp.data.datasets import load
from mnist_bp.data.options import DataOptions

MOST = 2.5

CASES = [case for case in IN_ARCHIVES if case[:2] not in {("idx", 1), ("csv", 1), ("csv", 2)}]
"""Formats, numbers of their writers, and whether in an archive. Other names and columns are read in the same pieces."""

SPLIT = {"csv", "pictures"}
"""Formats whose test set can be left out by deleting what is called test."""

EXAMPLES = {"idx": 2000, "csv": 300, "npz": 2000, "pictures": 450}
"""Numbers of training examples, so that their images count more than the pieces in which a file is read."""

CHANGED = DataOptions(transpose=True, invert=True)


def measured(place, options):
    """Load a dataset, and return its size in bytes, and the peak of the memory that loading took."""
    gc.collect()
    tracemalloc.start()
    try:
        dataset = load(None, place, options=options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return sum(each.images.nbytes + each.labels.nbytes for each in (dataset.train, dataset.test)), peak


def large(rng, name, test):
    """Return a set whose images need most of the memory. They repeat where to write others would take long."""
    few = random_set(rng, (28, 28), examples=(30 if name in SPLIT else EXAMPLES[name], 6))
    return [repeated(each, n) for each, n in zip(few, (EXAMPLES[name], test), strict=True)]


def written(name, number, sets, folder, *, in_archive):
    """Write sets in a format, and return the path to load."""
    place = WRITERS[name][number](sets, folder)
    return zipped(folder) if in_archive else place


@pytest.mark.parametrize(("name", "number", "in_archive"), CASES)
def test_loading_takes_little_more_memory_than_the_images(tmp_path, rng, name, number, in_archive):
    """Files are read in pieces, and images change in place. A file of each picture, 784 bytes, counts most."""
    small = written(name, number, random_set(rng), tmp_path / "small", in_archive=in_archive)
    load(None, small, options=CHANGED)  # imports
    place = written(name, number, large(rng, name, 60), tmp_path / "large", in_archive=in_archive)
    size, peak = measured(place, CHANGED)
    assert peak <= MOST * size, f"{peak / size:.2f}"


@pytest.mark.parametrize(("name", "number", "in_archive"), [case for case in CASES if case[0] in SPLIT])
def test_a_test_split_takes_no_more(tmp_path, rng, name, number, in_archive):
    """The two sets that a training set is split into are copies, and the rest is released."""
    paths = []
    for folder, sets in (("small", random_set(rng, (28, 28))), ("large", large(rng, name, 6))):
        WRITERS[name][number](sets, tmp_path / folder)
        for path in (tmp_path / folder).glob("test*"):
            path.rename(tmp_path / f"{folder}-{path.name}")
        paths.append(zipped(tmp_path / folder) if in_archive else tmp_path / folder)
    measured(paths[0], DataOptions(test_split=0.2))
    size, peak = measured(paths[1], DataOptions(test_split=0.2))
    assert peak <= MOST * size, f"{peak / size:.2f}"
