"""Training images of the page, with which it trains a network in the browser."""

import base64
import zlib
from typing import Any

import numpy as np

from mnist_bp.core.choices import activation
from mnist_bp.core.initialization import scales
from mnist_bp.data.examples import Examples, stratified_split
from mnist_bp.network import Network
from mnist_bp.training.learning_rates import default_learning_rate

__all__ = ["MOST_TRAINING", "MOST_VALIDATION", "training_content"]

MOST_TRAINING = 1000
"""Largest number of images to train on."""

MOST_VALIDATION = 200
"""Largest number of images to validate on."""

IMAGE_BYTES = 1_000_000
"""Largest total size of the images in bytes, before compression. A page with large images has fewer of them."""

LEVEL = 7
"""Level of the compression. It takes a tenth of the time of level 9, and the images half a percent more space."""

BATCH_SIZE = 10
"""Examples in a mini-batch. On 1,000 images, 784-16-16-10 needs about 500 steps of 10 examples to classify 80 % of the
validation images, or 250 of 100, which compute five times as much."""


def training_content(train: Examples, network: Network) -> dict[str, Any] | None:
    """Return a sample of a training set, stratified by class, and how networks like this one are trained on it.

    Images are compressed with zlib (RFC 1950), which browsers decompress: images of MNIST to a fifth, without loss. The
    last ``validation`` images are the validation set. ``layers`` has the scales of the initial parameters.

    Returns None if there are too few images.
    """
    count = min(MOST_TRAINING + MOST_VALIDATION, len(train), IMAGE_BYTES // train.pixels)
    n_validation = count * MOST_VALIDATION // (MOST_TRAINING + MOST_VALIDATION)
    if n_validation == 0:
        return None
    sample = train if count == len(train) else stratified_split(train, count, seed=0)[1]
    parts = stratified_split(sample, n_validation, seed=0)
    images, labels = (np.concatenate([getattr(part, name) for part in parts]) for name in ("images", "labels"))
    return {
        "images": base64.b64encode(zlib.compress(images.tobytes(), LEVEL)).decode(),
        "labels": labels.tolist(),
        "validation": n_validation,
        "batch_size": BATCH_SIZE,
        "rate": default_learning_rate(network.activation, network.cost),
        "layers": _layers(network),
    }


def _layers(network: Network) -> list[dict[str, float]]:
    """Return the scales of the initial parameters of layers 1 to L, see ``initialization.scaled``."""
    found = scales(network.sizes, activation(network.activation), activation(network.output_activation))
    return [one._asdict() for _, one in sorted(found.items())]
