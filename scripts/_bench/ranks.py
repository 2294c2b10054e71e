"""Scaling over ranks: a step on several processes of this machine, and a model for more of them.

Strong scaling keeps the mini-batch, weak scaling the examples of each rank. Each round starts a process group for each
number of ranks, so that a slow phase of the machine affects all of them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise, product
from statistics import median
from typing import Any

from _shared.mpi import AS_ROOT, OVERSUBSCRIBED, mpiexec
from _shared.tables import counted, markdown, number

from _bench.jobs import Job, Source
from _bench.pool import environment
from _bench.ranks_model import LINKS, Arithmetic, Link, fit_arithmetic, fit_link, flops_per_example
from mnist_bp.cores import usable_cores
from mnist_bp.data.datasets import Dataset
from mnist_bp.training.notation import format_hidden

HIDDEN = ((16, 16), (100,), (800,), (2000, 1000, 500))
BATCH_SIZES = (100, 1_000, 6_000)
MOST_EXAMPLES, LEAST_STEPS, FLOPS = 60_000, 3, 3e10
"""Largest number of examples in a measurement, its smallest number of steps, and its flops between these bounds."""
MESSAGES = (1, 1_000, 13_002, 79_510, 636_010, 4_084_010)
"""Lengths of vectors of float32 whose Allreduce is measured by itself: one number, 1,000, and some networks."""
PREDICTED = (2, 4, 8, 16, 64, 256)
MILLI = 1e3

NOTES = """\
One BLAS thread for each rank. A step is the mean over many steps, without the evaluation; medians over the rounds.
Allreduce includes waiting for the slower rank. Weak: the mini-batch is multiplied by the number of ranks; efficiency is
the time of one rank divided by that of several."""


@dataclass
class Case:
    """Measurements of a network and a mini-batch: seconds of (step, Allreduce in it), by ranks, strong and weak."""

    job: Job
    strong: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    weak: dict[int, list[tuple[float, float]]] = field(default_factory=dict)

    def step(self, ranks: int, kind: str = "strong") -> float:
        """Return the median seconds of a step."""
        return median(step for step, _ in getattr(self, kind)[ranks])

    def allreduce(self, ranks: int, kind: str = "strong") -> float:
        """Return the median seconds in Allreduce of a step."""
        return median(waiting for _, waiting in getattr(self, kind)[ranks])

    def row(self, ranks: int) -> list[str]:
        """Return the row of the table for this number of ranks."""
        one, several, waiting = self.step(1), self.step(ranks), self.allreduce(ranks)
        weak = self.step(ranks, "weak")
        times = [MILLI * each for each in (one, several, several - waiting, waiting, weak)]
        ratio, efficiency = number(several / one), number(one / weak)
        name = f"{format_hidden(self.job.hidden)}, batches of {self.job.batch_size:,}"
        return [name, str(ranks), *map(number, times[:2]), ratio, *map(number, times[2:]), efficiency]

    def as_json(self) -> dict[str, Any]:
        """Return the measurements as JSON values."""
        return asdict(self)


@dataclass
class RankScaling:
    """All measurements: cases, and (ranks, bytes, seconds) of single calls of Allreduce."""

    cases: list[Case]
    messages: list[tuple[int, int, float]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the measurements as JSON values."""
        return {"cases": [case.as_json() for case in self.cases], "messages": self.messages}


def measure(
    ranks: Sequence[int],
    hidden: Sequence[tuple[int, ...]] | None,
    batch_sizes: Sequence[int | None] | None,
    rounds: int,
    source: Source,
) -> RankScaling:
    """Measure every network with every size of mini-batches, on 1 rank and on these numbers of ranks."""
    sizes = [size for size in batch_sizes or BATCH_SIZES if size]
    found = RankScaling([Case(Job(neurons, size)) for neurons, size in product(hidden or HIDDEN, sizes)])
    for _, count in product(range(rounds), sorted({1, *ranks})):
        strong = [case.job for case in found.cases]
        weak = [replace(job, batch_size=count * job.batch_size) for job in strong if job.batch_size]
        answer = ask(count, strong if count == 1 else [*strong, *weak], source)
        steps = [(step, waiting) for step, waiting in answer["steps"]]
        for index, case in enumerate(found.cases):
            case.strong.setdefault(count, []).append(steps[index])
            case.weak.setdefault(count, []).append(steps[index % len(strong) + (len(strong) if count > 1 else 0)])
        found.messages += [(count, n_bytes, seconds) for n_bytes, seconds in answer["messages"]]
    return found


def ask(ranks: int, jobs: Sequence[Job], source: Source) -> dict[str, Any]:
    """Measure jobs on several ranks, and return what rank 0 prints."""
    request = {
        "source": [source.name, str(source.data_dir or "")],
        "jobs": [(asdict(job), steps_of(job)) for job in jobs],
        "messages": MESSAGES,
    }
    command = [sys.executable, "-m", "_bench.rank_worker", json.dumps(request)]
    variables = {**environment(1), **AS_ROOT, **(OVERSUBSCRIBED if ranks > usable_cores() else {})}
    words = command if ranks == 1 else mpiexec(ranks, *command)
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, env={**os.environ, **variables})
    if done.returncode:
        sys.exit(f"the measurement on {ranks} ranks failed: its output is above")
    return json.loads(done.stdout)


def steps_of(job: Job) -> int:
    """Return the number of steps to measure."""
    assert job.batch_size
    flops = flops_per_example((784, *job.hidden, 10)) * job.batch_size
    return max(LEAST_STEPS, min(MOST_EXAMPLES // job.batch_size, int(FLOPS / flops)))


def table(found: RankScaling, ranks: Sequence[int]) -> str:
    """Return the measurements as a Markdown table."""
    head = [
        "network",
        "ranks",
        "1 rank, ms",
        "step, ms",
        "× 1 rank",
        "arithmetic",
        "Allreduce",
        "weak, ms",
        "efficiency",
    ]
    return markdown(head, [case.row(count) for case in found.cases for count in ranks if count > 1])


def model(found: RankScaling, data: Dataset) -> Iterator[str]:
    """Yield the fitted numbers, how well they describe the measurements, and the predictions."""
    here = fit_link("this machine", found.messages)
    networks = {
        hidden: fitted(found, hidden, data) for hidden in dict.fromkeys(case.job.hidden for case in found.cases)
    }
    yield (
        f"This machine: latency {number(1e6 * here.latency)} µs, bandwidth {number(here.bandwidth / 1e9)} GB/s, of the "
        "Allreduce of a vector by itself."
    )
    rows = [
        [
            format_hidden(hidden),
            number(each.rate / 1e9),
            number(MILLI * each.fixed),
            number(worst(found, each, here, hidden)),
        ]
        for hidden, each in networks.items()
    ]
    yield markdown(["network", "10⁹ flops a second", "fixed, ms", "largest error of the model, %"], rows)
    for link in LINKS:
        sizes = sorted({case.job.batch_size for case in found.cases})
        yield f"#### {link.name}\n\n{markdown(*predictions(networks, link, sizes))}"
        yield markdown(*limits(networks, link))


def fitted(found: RankScaling, hidden: tuple[int, ...], data: Dataset) -> Arithmetic:
    """Fit the arithmetic of a network to the steps on any number of ranks, without their Allreduce."""
    sizes = (data.pixels, *hidden, data.classes)
    points = [
        ((case.job.batch_size or 0) / count, case.step(count) - case.allreduce(count))
        for case in found.cases
        if case.job.hidden == hidden
        for count in case.strong
    ]
    n_bytes = 4 * sum((n + 1) * m for n, m in pairwise(sizes))
    return fit_arithmetic(points, flops_per_example(sizes), n_bytes)


def worst(found: RankScaling, arithmetic: Arithmetic, link: Link, hidden: tuple[int, ...]) -> float:
    """Return the largest relative error of the model for the measured steps, in percent."""
    errors = [
        abs(arithmetic.step(link, count, case.job.batch_size or 0) / case.step(count) - 1)
        for case in found.cases
        if case.job.hidden == hidden
        for count in case.strong
    ]
    return 100 * max(errors)


def predictions(
    networks: dict[tuple[int, ...], Arithmetic], link: Link, sizes: Sequence[int]
) -> tuple[list[str], list[list[str]]]:
    """Return a table with how many times faster a step is than on one rank."""
    head = ["times faster, network", *(f"{count} ranks" for count in PREDICTED)]
    rows = [
        [
            f"{format_hidden(hidden)}, batches of {size:,}",
            *(number(each.step(link, 1, size) / each.step(link, count, size)) for count in PREDICTED),
        ]
        for hidden, each in networks.items()
        for size in sizes
    ]
    return head, rows


def limits(networks: dict[tuple[int, ...], Arithmetic], link: Link) -> tuple[list[str], list[list[str]]]:
    """Return a table with the batch size from which one more rank makes a step faster."""
    head = ["another rank pays from batches of", *(counted(count, "rank") for count in (1, *PREDICTED))]
    rows = [
        [format_hidden(hidden), *(f"{each.least_batch(link, count):,.0f}" for count in (1, *PREDICTED))]
        for hidden, each in networks.items()
    ]
    return head, rows
