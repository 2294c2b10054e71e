"""Program of one rank of ``scripts/bench --ranks``: mpiexec starts it, or it runs by itself for a single rank.

Its argument is a JSON object: the dataset, jobs with their number of steps, and lengths of vectors of float32 whose
Allreduce is measured by itself. Rank 0 prints the results as JSON.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from _bench.jobs import Job, Source
from mnist_bp.data.datasets import Dataset
from mnist_bp.launcher import launch
from mnist_bp.training.ranks import SINGLE, Ranks
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import LabelledImages, Trainer

REPEATS = 15


def connected() -> Ranks:
    """Return the ranks, whose ``seconds`` count the time in Allreduce."""
    if launch().size == 1:
        return SINGLE
    from mnist_bp.training.mpi_ranks import MpiRanks

    class TimedRanks(MpiRanks):
        seconds = 0.0

        def _sum(self, whole: np.ndarray) -> None:
            start = time.perf_counter()
            super()._sum(whole)
            self.seconds += time.perf_counter() - start

    return TimedRanks()


def measure_steps(ranks: Ranks, job: Job, steps: int, data: Dataset) -> tuple[float, float]:
    """Return the mean seconds of a step, and of the Allreduce in it, over one epoch after a shorter one."""
    assert job.batch_size
    rows = np.resize(np.arange(len(data.train.labels)), job.batch_size * steps)
    images, labels = data.train.rows[rows], data.train.labels[rows]
    few = LabelledImages(data.test.rows[: 10 * ranks.size], data.test.labels[: 10 * ranks.size])
    settings = Settings(hidden=job.hidden, batch_size=job.batch_size, epochs=1, learning_rate=0.1, average=0)
    for count in (max(1, steps // 4), steps):
        training = LabelledImages(images[: count * job.batch_size], labels[: count * job.batch_size])
        trainer = Trainer(job.network(data).astype("float32"), training, few, settings, ranks=ranks)
        before = getattr(ranks, "seconds", 0.0)
        (result,) = trainer.run()
    return result.seconds / steps, (getattr(ranks, "seconds", 0.0) - before) / steps


def measure_messages(ranks: Ranks, lengths: Sequence[int]) -> list[tuple[int, float]]:
    """Return bytes and median seconds of the Allreduce of vectors, when all ranks start it together."""
    found = []
    for length in lengths:
        vector = ranks.vector(length, np.float32)
        vector.fill(0)
        seconds = []
        for _ in range(REPEATS):
            ranks.gather(None)
            start = time.perf_counter()
            ranks.average_(vector, 1.0)
            seconds.append(time.perf_counter() - start)
        found.append((vector.nbytes, median(seconds[1:])))
    return found


def main(request: dict[str, Any]) -> None:
    """Measure all jobs, and print the results on rank 0."""
    name, folder = request["source"]
    data = Source(name, Path(folder) if folder else None).load()
    ranks = connected()
    with threadpool_limits(1):
        steps = [measure_steps(ranks, Job.from_json(job), count, data) for job, count in request["jobs"]]
    messages = measure_messages(ranks, request["messages"]) if ranks.size > 1 else []
    if ranks.rank == 0:
        print(json.dumps({"steps": steps, "messages": messages}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
