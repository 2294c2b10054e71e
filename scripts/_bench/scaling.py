"""How the cost of an epoch grows: with width, depth, batch size and data, beside the arithmetic's own growth."""

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
from mnist_bp.training.evaluation import CHUNK
from mnist_bp.training.notation import format_batch_size

FLOAT32 = 4
MEBIBYTE = 2**20
NOTES = """\
Times beside the multiply-adds of the epoch's matrix products, each relative to the first row. Peak is the most memory
that the process ever had, before is what Python and numpy had without the data; what lies between should be data (the
images as stored), parameters (three times: themselves, their gradient, and what the last whole epoch left) and buffers
(for the 1,000 examples that go through the network at a time: inputs, and of each layer values and derivatives; and
the outputs of all training examples, which are judged at the end of the epoch)."""

KEPT = 3
"""Copies of the parameters: themselves, their gradient, and what the last whole epoch left."""


@dataclass(frozen=True)
class Point:
    """One measurement: seconds of an epoch, and bytes, measured and as they should be."""

    label: str
    job: Job
    multiply_adds: int
    seconds: list[float]
    bytes_before: int | None
    bytes_peak: int | None
    bytes_expected: int

    @property
    def median(self) -> float:
        """Of its seconds."""
        return statistics.median(self.seconds)

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {**asdict(self), "median": self.median}


@dataclass(frozen=True)
class Series:
    """What grows, and its points."""

    name: str
    points: list[Point]

    def growth(self) -> Iterator[tuple[Point, float, float]]:
        """Each point, with its arithmetic and its time relative to the first."""
        first = self.points[0]
        return ((p, p.multiply_adds / first.multiply_adds, p.median / first.median) for p in self.points)

    def table(self) -> str:
        """As Markdown."""
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
    """What is measured, each with so many training examples unless it says otherwise: series, label, job."""
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
    """Measure series by series, each point in a process of its own, whose memory nobody has used before."""
    for name, jobs in choose_jobs(len(data.train.first(limit))).items():
        yield Series(name, [measure_point(label, job, rounds, source, data) for label, job in jobs.items()])


def measure_point(label: str, job: Job, rounds: int, source: Source, data: Dataset) -> Point:
    """One process, a warm-up epoch, then those that count."""
    worker = Worker("mnist-bp", 1, source)
    try:
        worker.prepare(job)
        seconds = [worker.epoch()[0] for _ in range(rounds + 1)][1:]
        memory = worker.ask("memory") or {"before": None, "peak": None}
    finally:
        worker.close()
    return Point(label, job, multiply_adds(job, data), seconds, memory["before"], memory["peak"], memory_of(job, data))


def multiply_adds(job: Job, data: Dataset) -> int:
    """Of an epoch's matrix products: A W and A^T ∂C/∂Z in each layer, and ∂C/∂Z W^T in each but the first."""
    sizes = (data.pixels, *job.hidden, data.classes)
    products = sum((2 if layer == 0 else 3) * n * m for layer, (n, m) in enumerate(pairwise(sizes)))
    return products * len(data.train.first(job.limit))


def memory_of(job: Job, data: Dataset) -> int:
    """Bytes that training needs: the images as stored, the parameters, and of each layer values and derivatives."""
    examples = len(data.train.first(job.limit))
    layers = (data.pixels, *job.hidden, data.classes)
    stored = sum(part.images.nbytes + part.labels.nbytes for part in (data.train, data.test))
    parameters = sum((n + 1) * m for n, m in pairwise(layers))
    buffers = CHUNK * (layers[0] + 2 * sum(layers[1:])) + examples * layers[-1]
    return stored + FLOAT32 * (KEPT * parameters + buffers)


def mebibytes(size: int | None) -> str:
    """As a cell of a table."""
    return "–" if size is None else number(size / MEBIBYTE)
