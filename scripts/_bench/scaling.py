"""Scaling of an epoch's time and memory with width, depth, batch size and data, compared with its multiply-adds."""

import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from _shared.tables import markdown, number

from _bench.epochs import BATCH_SIZES, MOST_STEPS
from _bench.jobs import Job, Source
from _bench.pool import Worker
from _bench.results import median_and_spread
from mnist_bp.data.datasets import Dataset
from mnist_bp.training.evaluation import EXAMPLES_AT_ONCE
from mnist_bp.training.notation import format_batch_size

FLOAT32 = 4
MEBIBYTE = 2**20
NOTES = """\
Times and the multiply-adds of the epoch's matrix products, each relative to the first row. Peak is the largest memory
of the process, before is the memory of Python and numpy without the data. The difference should be data (the images as
stored), parameters (three copies: themselves, their gradient, and a backup after each epoch) and buffers (for 1,000
examples at a time: inputs, and values and derivatives of each layer; and the outputs of all training examples, which
are
evaluated at the end of the epoch)."""

KEPT = 3
"""Copies of the parameters: themselves, their gradient, and a backup after each epoch."""


@dataclass(frozen=True)
class Point:
    """One measurement: seconds of an epoch, and measured and expected bytes."""

    label: str
    job: Job
    multiply_adds: int
    seconds: list[float]
    bytes_before: int | None
    bytes_peak: int | None
    bytes_expected: int

    @property
    def median(self) -> float:
        """Median of the seconds."""
        return statistics.median(self.seconds)

    def as_json(self) -> dict[str, Any]:
        """Return the measurement as JSON values."""
        return {**asdict(self), "median": self.median}


@dataclass(frozen=True)
class Series:
    """Series of measurements, with the name of the quantity that grows."""

    name: str
    points: list[Point]

    def growth(self) -> Iterator[tuple[Point, float, float]]:
        """Return each point with its multiply-adds and its time, relative to the first point."""
        first = self.points[0]
        return ((p, p.multiply_adds / first.multiply_adds, p.median / first.median) for p in self.points)

    def table(self) -> str:
        """Return the series as a Markdown table."""
        arithmetic = ["multiply-adds, 10⁹", "× the first"]
        time = ["median, s", "min-max, s", "× the first", "10⁹ a second"]
        memory = ["peak, MiB", "before, MiB", "data + parameters + buffers, MiB"]
        rows = [
            [
                p.label,
                number(p.multiply_adds / 1e9),
                number(more),
                *median_and_spread(p.seconds),
                number(longer),
                number(p.multiply_adds / 1e9 / p.median),
                *(mebibytes(size) for size in (p.bytes_peak, p.bytes_before, p.bytes_expected)),
            ]
            for p, more, longer in self.growth()
        ]
        return f"### {self.name}\n\n{markdown([self.name, *arithmetic, *time, *memory], rows)}"


def choose_jobs(examples: int) -> dict[str, dict[str, Job]]:
    """Return the jobs by series and label, with ``examples`` training examples unless that is what varies."""
    return {
        "hidden neurons, one layer": {str(n): Job((n,), limit=examples) for n in (16, 32, 64, 128, 256, 512, 1024)},
        "hidden layers of 100": {str(n): Job((100,) * n, limit=examples) for n in (1, 2, 4, 8)},
        "batch size, hidden 100": {
            format_batch_size(size): Job((100,), size, limit=min(examples, MOST_STEPS * (size or examples)))
            for size in BATCH_SIZES
        },
        "training examples, hidden 100": {
            f"{examples // part:,}": Job((100,), limit=examples // part) for part in (60, 20, 6, 2, 1)
        },
    }


def measure(rounds: int, limit: int | None, source: Source, data: Dataset) -> Iterator[Series]:
    """Measure each series, with a new process for each point, so that its peak memory is its own."""
    for name, jobs in choose_jobs(len(data.train.first(limit))).items():
        yield Series(name, [measure_point(label, job, rounds, source, data) for label, job in jobs.items()])


def measure_point(label: str, job: Job, rounds: int, source: Source, data: Dataset) -> Point:
    """Measure one point in a new process, after a warm-up epoch."""
    worker = Worker("mnist-bp", 1, source)
    try:
        worker.prepare(job)
        seconds = [worker.epoch()[0] for _ in range(rounds + 1)][1:]
        memory = worker.ask("memory") or {"before": None, "peak": None}
    finally:
        worker.close()
    return Point(label, job, multiply_adds(job, data), seconds, memory["before"], memory["peak"], memory_of(job, data))


def multiply_adds(job: Job, data: Dataset) -> int:
    """Return the multiply-adds of an epoch: A W and Aᵀ ∂C/∂Z in each layer, and ∂C/∂Z Wᵀ in all but the first."""
    sizes = (data.pixels, *job.hidden, data.classes)
    products = sum((2 if layer == 0 else 3) * n * m for layer, (n, m) in enumerate(pairwise(sizes)))
    return products * len(data.train.first(job.limit))


def memory_of(job: Job, data: Dataset) -> int:
    """Return the bytes that training needs: stored images, parameters, and values and derivatives of each layer."""
    examples = len(data.train.first(job.limit))
    layers = (data.pixels, *job.hidden, data.classes)
    stored = sum(part.images.nbytes + part.labels.nbytes for part in (data.train, data.test))
    parameters = sum((n + 1) * m for n, m in pairwise(layers))
    buffers = EXAMPLES_AT_ONCE * (layers[0] + 2 * sum(layers[1:])) + examples * layers[-1]
    return stored + FLOAT32 * (KEPT * parameters + buffers)


def mebibytes(size: int | None) -> str:
    """Return a size as a cell of a table."""
    return "–" if size is None else number(size / MEBIBYTE)
