"""Train many times in one process, by Python: no memory, file or thread is left over, and all come to the same.

python tests/support/soak.py 500
"""

import os
import shutil
import sys
import tempfile
import threading
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset, Examples
from mnist_bp.data.synthetic import digits
from mnist_bp.training.run import TrainingRun
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import train

RECIPE = Settings(
    hidden=(16,), activation="relu", cost="cross-entropy", dtype="float32", threads=1, dataset=None, data_dir=None,
    limit=None, validation=50, learning_rate=0.001, batch_size=30, epochs=2, seed=3, optimizer="adam", dropout=0.1,
    average=0.9, augment="elastic",
)  # fmt: skip
"""Settings that use most resources: augmentation in a thread, dropout masks, EMA, a validation set, checkpoints."""


GROWTH = 2
"""MiB, from a fifth of the trainings to the end, that are the system's own unrest; each has data of some 0.3 MiB."""


class Held(NamedTuple):
    """Return this process's memory in MiB and open files, 0 if the system does not provide them, and its threads."""

    memory: float
    files: int
    threads: int

    @classmethod
    def now(cls):
        """Linux tells of memory, macOS of files only, Windows of neither."""
        status, files = Path("/proc/self/statm"), Path("/dev/fd")
        pages = int(status.read_text(encoding="ascii").split()[1]) if status.exists() else 0
        return cls(
            memory=pages * os.sysconf("SC_PAGE_SIZE") / 2**20 if pages else 0,
            files=len(list(files.iterdir())) if files.exists() else 0,
            threads=threading.active_count(),
        )


def few_digits():
    """Synthetic digits: 300 to train on, 100 to test on."""
    return Dataset(
        "few", Examples(*digits(300, seed=1, split="train")), Examples(*digits(100, seed=1, split="test")), 10
    )


def fresh():
    """Return a network with fixed initial weights."""
    sizes, rng = [784, *RECIPE.hidden, 10], np.random.default_rng(RECIPE.seed)
    return Network(sizes, activation=RECIPE.activation, cost=RECIPE.cost, rng=rng)


def in_memory(data):
    """Train without a folder; the weights, as bytes."""
    network, (training, test) = fresh(), ((part.rows, part.labels) for part in (data.train, data.test))
    list(train(network, training, test, replace(RECIPE, augment="none")))
    return network.parameters.tobytes()


def in_a_folder(data):
    """Train, keeping each epoch; the weights that were saved."""
    session = TrainingRun(RECIPE, data, fresh(), Path("run"))
    list(session.epochs())
    return Network.load(session.run.model).parameters.tobytes()


def interrupted(data):
    """Train in a folder, interrupted in the middle of the second epoch and resumed."""
    session, steps = TrainingRun(RECIPE, data, fresh(), Path("run")), iter(range(12))

    def on_batch():
        if next(steps, None) is None:
            raise KeyboardInterrupt

    try:
        list(session.epochs(on_batch))
    except KeyboardInterrupt:
        session = TrainingRun(RECIPE, data, fresh(), resume=Path("run"))
    assert session.trainer.epoch == 1
    list(session.epochs())
    return Network.load(session.run.model).parameters.tobytes()


WAYS = (in_memory, in_a_folder, interrupted)


def soak(trainings):
    """Train ``trainings`` times in ``WAYS`` in turn, and yield the resources after each. Results must not differ."""
    data, results = few_digits(), {}
    with tempfile.TemporaryDirectory() as folder, chdir(folder), threadpool_limits(1):
        for number in range(trainings):
            way = WAYS[number % len(WAYS)]
            weights = way(data)
            assert results.setdefault(way is in_memory, weights) == weights, f"training {number + 1}: other weights"
            shutil.rmtree("run", ignore_errors=True)
            yield Held.now()


def main():
    """Run the number of trainings from the command line. Growth counts from a fifth of them on, with warm caches."""
    trainings = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    fifths = []
    for number, held in enumerate(soak(trainings), 1):
        if number % -(-trainings // 5) == 0 or number == trainings:
            fifths.append(held)
            print(f"{number:5} trainings: {held.memory:.1f} MiB, {held.files} files, {held.threads} threads")  # noqa: T201 - a script
    start, end = fifths[0], fifths[-1]
    assert (end.files, end.threads) == (start.files, start.threads), "files or threads are left over"
    assert end.memory - start.memory < GROWTH, "memory is left over"


if __name__ == "__main__":
    main()
