"""Program for mpiexec: train with each option on all ranks, and compare with a single process.

    mpiexec -n 4 python tests/support/equal_on_ranks.py

Rank 0 prints one JSON object: relative differences of the final parameters by the name of the option. All options run
in one launch, because MPI takes a second to start.
"""

import json
import sys
from dataclasses import replace

import numpy as np
from mpi4py import MPI
from threadpoolctl import threadpool_limits

from mnist_bp.network import Network
from mnist_bp.training.mpi_ranks import MpiRanks
from mnist_bp.training.ranks import SINGLE, Ranks
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import LabelledImages, Trainer

CLASSES, SHAPE, EPOCHS = 4, (10, 10), 3
PROTOTYPES = np.random.default_rng(1).integers(0, 200, (CLASSES, SHAPE[0] * SHAPE[1]))
PLAIN = Settings(hidden=(12, 9), batch_size=20, epochs=EPOCHS, learning_rate=0.3, average=0)

OPTIONS = {
    "plain": {},
    "batches smaller than the ranks": {"batch_size": 3},
    "one example in the last batch": {"batch_size": 46},
    "all examples": {"batch_size": None},
    "average": {"average": 0.9},
    "dropout": {"dropout": 0.4, "input_dropout": 0.2},
    "shift": {"augment": "shift"},
    "affine": {"augment": "affine", "dropout": 0.3},
    "elastic": {"augment": "elastic"},
    "L2": {"l2": 0.01},
    "decoupled L2": {"l2": 0.01, "optimizer": "adam", "learning_rate": 0.003},
    "max-norm": {"max_norm": 1.0},
    "adversarial": {"adversarial": 0.1},
    "label smoothing": {"label_smoothing": 0.1, "cost": "cross-entropy", "learning_rate": 0.1},
    "momentum": {"optimizer": "momentum", "learning_rate": 0.03},
    "nesterov": {"optimizer": "nesterov", "learning_rate": 0.03},
    "cosine": {"schedule": "cosine"},
    "step": {"schedule": "step"},
    "one-cycle": {"schedule": "one-cycle"},
    "early stop, best epoch": {"early_stop": 2, "validation": 60, "epochs": 12, "learning_rate": 2.0},
    "best epoch": {"keep": "best", "validation": 60, "average": 0.9},
    "all at once": {"dropout": 0.2, "augment": "shift", "average": 0.9, "max_norm": 2.0, "l2": 0.001, "batch_size": 7},
}
DTYPES = ("float64", "float32")


def examples(count: int, seed: int) -> LabelledImages:
    """Return noisy images of the classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(CLASSES, size=count).astype(np.uint8)
    noise = rng.integers(-90, 90, (count, PROTOTYPES.shape[1]))
    return LabelledImages(np.clip(PROTOTYPES[labels] + noise, 0, 255).astype(np.uint8), labels)


TRAINING, TEST, VALIDATION = examples(231, 2), examples(90, 3), examples(60, 4)
MANY = examples(4_100, 6)
"""Examples of which each of four ranks has more than are processed at a time."""


def trained(settings: Settings, ranks: Ranks, training: LabelledImages) -> tuple[Trainer, list]:
    """Return a trainer that is done, and its results."""
    network = Network(
        (training.images.shape[1], *settings.hidden, CLASSES),
        activation=settings.activation,
        cost=settings.cost,
        rng=np.random.default_rng(5),
        dtype=settings.dtype,
    )
    made = Trainer(network, training, TEST, settings, validation=VALIDATION, image_shape=SHAPE, ranks=ranks)
    return made, list(made.run())


def difference(settings: Settings, ranks: Ranks, training: LabelledImages = TRAINING) -> float:
    """Return ‖Δ‖ / ‖p‖ of the saved parameters. Raise AssertionError if figures of an epoch differ."""
    (alone, expected), (together, found) = (trained(settings, each, training) for each in (SINGLE, ranks))
    assert len(found) == len(expected)
    assert together.saved_epoch == alone.saved_epoch
    for one, other in zip(expected, found, strict=True):
        for name in one.figures.keys() - {"seconds"}:
            tolerance = 1e-9 if settings.dtype == "float64" else 1e-3
            assert abs(one.figures[name] - other.figures[name]) <= tolerance * abs(one.figures[name]), name
    p, q = alone.saved_network.parameters, together.saved_network.parameters
    return float(np.linalg.norm(p - q) / np.linalg.norm(p))


def main() -> None:
    """Print the differences."""
    ranks = MpiRanks(MPI.COMM_WORLD)
    differences = {}
    with threadpool_limits(1):
        for dtype in DTYPES:
            for name, changed in OPTIONS.items():
                differences[f"{name}, {dtype}"] = difference(replace(PLAIN, dtype=dtype, **changed), ranks)
            settings = replace(PLAIN, dtype=dtype, batch_size=None, dropout=0.3, l2=0.01)
            differences[f"shares in several parts, {dtype}"] = difference(settings, ranks, MANY)
    if ranks.rank == 0:
        sys.stdout.write(json.dumps({"ranks": ranks.size, "differences": differences}))


main()
