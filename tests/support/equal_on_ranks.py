"""Program for mpiexec: train with each option on all ranks, and compare with a single process.

    mpiexec -n 4 python tests/support/equal_on_ranks.py [float64] [float32]

Rank 0 prints one JSON object: relative differences of the final parameters by the name of the option. All options run
in one launch, because MPI takes a second to start. Default: both types.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from mnist_bp.network import Network
from mnist_bp.training.mpi_ranks import MpiRanks
from mnist_bp.training.ranks import SINGLE, Ranks
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import LabelledImages, Trainer

CLASSES, SHAPE, EPOCHS = 4, (10, 10), 2
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


class Trained(NamedTuple):
    """A training that is done: the saved parameters, their epoch, and the figures of each epoch."""

    parameters: NDArray
    saved_epoch: int
    figures: list[dict[str, float]]


def train(settings: Settings, ranks: Ranks, training: LabelledImages) -> Trained:
    """Train a network on these ranks."""
    network = Network(
        (training.images.shape[1], *settings.hidden, CLASSES),
        activation=settings.activation,
        cost=settings.cost,
        rng=np.random.default_rng(5),
        dtype=settings.dtype,
    )
    trainer = Trainer(network, training, TEST, settings, validation=VALIDATION, image_shape=SHAPE, ranks=ranks)
    figures = [dict(result.figures) for result in trainer.run()]
    return Trained(trainer.saved_network.parameters, trainer.saved_epoch, figures)


def difference(alone: Trained, together: Trained, tolerance: float) -> float:
    """Return ‖Δ‖ / ‖p‖ of the saved parameters. Raise AssertionError if figures of an epoch differ."""
    assert len(together.figures) == len(alone.figures)
    assert together.saved_epoch == alone.saved_epoch
    for one, other in zip(alone.figures, together.figures, strict=True):
        for name in one.keys() - {"seconds"}:
            assert abs(one[name] - other[name]) <= tolerance * abs(one[name]), name
    p, q = alone.parameters, together.parameters
    return float(np.linalg.norm(p - q) / np.linalg.norm(p))


def cases(dtypes: Sequence[str]) -> Iterator[tuple[str, Settings, LabelledImages]]:
    """Yield the name, the settings and the examples of each training."""
    for dtype in dtypes:
        for name, changed in OPTIONS.items():
            yield f"{name}, {dtype}", replace(PLAIN, dtype=dtype, **changed), TRAINING
        settings = replace(PLAIN, dtype=dtype, batch_size=None, dropout=0.3, l2=0.01)
        yield f"shares in several parts, {dtype}", settings, MANY


def trained_alone(ranks: Ranks, dtypes: Sequence[str]) -> dict[str, Trained]:
    """Return each training by a single process. The ranks take turns."""
    chosen = islice(cases(dtypes), ranks.rank, None, ranks.size)
    mine = {name: train(settings, SINGLE, training) for name, settings, training in chosen}
    return {name: trained for each in ranks.gather(mine) for name, trained in each.items()}


def main(dtypes: Sequence[str]) -> None:
    """Print the differences."""
    ranks = MpiRanks(MPI.COMM_WORLD)
    with threadpool_limits(1):
        expected = trained_alone(ranks, dtypes)
        differences = {
            name: difference(
                expected[name], train(settings, ranks, training), 1e-9 if settings.dtype == "float64" else 1e-3
            )
            for name, settings, training in cases(dtypes)
        }
    if ranks.rank == 0:
        sys.stdout.write(json.dumps({"ranks": ranks.size, "differences": differences}))


main(sys.argv[1:] or DTYPES)
