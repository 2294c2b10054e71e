"""The dataset that the old runs were trained on: made by whole-number arithmetic, so that it is the same everywhere."""

from pathlib import Path

import numpy as np

from mnist_bp.data import idx

SIDE, CLASSES = 8, 10
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def write_dataset(folder: Path) -> Path:
    """Write 500 training and 200 test images, 8 × 8, of ten classes, as four IDX files; return the folder."""
    folder.mkdir(parents=True)
    arrays = (*_examples(500, start=1), *_examples(200, start=2))
    for name, array in zip(FILES, arrays, strict=True):
        with (folder / name).open("wb") as file:
            idx.write(file, array)
    return folder


def _examples(count: int, *, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Images, (count, 8, 8), and labels, (count,): a pattern for each class under noise."""
    noise = _noise(count * SIDE * SIDE, start).reshape(count, SIDE, SIDE)
    labels = np.arange(count) * 7 % CLASSES
    rows, columns = np.mgrid[:SIDE, :SIDE]
    patterns = np.stack([(rows * (label + 1) + columns * (label // 3)) % 5 == 0 for label in range(CLASSES)])
    return (patterns[labels] * 120 + noise % 136).astype(np.uint8), labels.astype(np.uint8)


def _noise(count: int, start: int) -> np.ndarray:
    """Bits 16 to 30 of the generator of POSIX's rand: x ← 1103515245 x + 12345 mod 2³¹."""
    numbers, x = np.empty(count, np.int64), start
    for place in range(count):
        x = (1103515245 * x + 12345) % 2**31
        numbers[place] = x >> 16
    return numbers
