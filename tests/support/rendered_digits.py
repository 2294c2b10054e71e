"""Render MNIST's test digits as images, as a user would draw them, and classify them as ``predict`` does.

python tests/support/rendered_digits.py 10000 runs/20260101-120000-784-16-16-10 [DATA-DIR]

Each is dark on light, 280 × 280 pixels, scaled and placed at random (seeded), written as PNG and read as the command
reads it. Prints the accuracy beside that on the digits themselves.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from mnist_bp import Network
from mnist_bp.data.datasets import load
from mnist_bp.data.image_file import read_image
from mnist_bp.training.run_paths import find_model

SIDE = 280
LENGTHS = (80, 250)
"""Pixels that the longer side of a digit takes on the paper."""


def render(digit, rng):
    """A digit on paper, as a picture."""
    ink = Image.fromarray(digit)
    ink = ink.crop(ink.getbbox())
    scale = rng.integers(*LENGTHS, endpoint=True) / max(ink.size)
    width, height = (max(1, round(length * scale)) for length in ink.size)
    ink = ink.resize((width, height), Image.Resampling.BICUBIC)
    place = tuple(int(rng.integers(SIDE - length, endpoint=True)) for length in ink.size)
    paper = Image.new("L", (SIDE, SIDE), 255)
    paper.paste(0, (*place, place[0] + width, place[1] + height), ink)
    return paper


def read_back(digits, *, seed=0):
    """The digits rendered, written and read again: what the network sees of them, (n, rows, columns)."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digit.png"
        images = []
        for digit in digits:
            render(digit, rng).save(path, compress_level=1)
            images.append(read_image(path, digit.shape))
    return np.stack(images)


def accuracy(network, images, labels):
    """Return the accuracy of a network."""
    return float((network.forward(images.reshape(len(images), -1) / 255).argmax(axis=1) == labels).mean())


def main():
    """Do it with as many digits, and the model, as the command line says."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    count, model, *folder = sys.argv[1:]
    test = load("mnist", Path(folder[0]) if folder else None, fetch=False).test.first(int(count))
    network = Network.load(find_model(Path(model)))
    plain, rendered = (accuracy(network, images, test.labels) for images in (test.images, read_back(test.images)))
    lost = f"{100 * (plain - rendered):+.2f} points lost"
    print(f"{len(test):,} test digits: {plain:.2%} as they are, {rendered:.2%} drawn; {lost}")  # noqa: T201 - a script


if __name__ == "__main__":
    main()
