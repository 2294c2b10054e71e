"""Measurements of an epoch of each system, in turn, for several widths, batch sizes and numbers of threads."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby, product
from statistics import mean, median

from _shared.tables import counted, number

from _bench.jobs import Job, Source
from _bench.peers import SYSTEMS
from _bench.pool import Team, workers
from _bench.results import Agreement, Comparison, best_threads
from mnist_bp.core.choices import COSTS
from mnist_bp.cores import usable_cores
from mnist_bp.data.datasets import Dataset
from mnist_bp.training.notation import format_batch_size, format_hidden

WIDTHS = ((16, 16), (30,), (100,), (300, 100), (800,), (800, 800))
BATCH_SIZES = (1, 10, 100, 1000, None)

MOST_STEPS = 6_000
"""Largest number of steps in an epoch without --limit. With a batch size of 1, an epoch has 6,000 examples."""

CHECKED_EXAMPLES, CHECKED_STEPS = 100, 3
SAME_ORDER = 1e-4
"""Relative difference of costs that rounding can explain, for equal steps with sums in another order."""
OTHER_ORDER = 0.15
"""Relative difference of costs that shuffling can explain, because the last mini-batches influence the network most.
Measured at 16,16 and batch size 100: up to 14 % between two orders after one epoch, up to 5 % on average over three."""


@dataclass(frozen=True)
class Case:
    """A job and the largest number of threads. Each system is measured with 1 thread and with this number."""

    job: Job
    threads: int


def choose_cases(
    hidden: Sequence[tuple[int, ...]] | None,
    batch_sizes: Sequence[int | None] | None,
    threads: Sequence[int] | None,
    limit: int | None,
    data: Dataset,
    *,
    full: bool,
) -> list[Case]:
    """Return the requested cases. Default: every width at batch size 100, and every batch size at 16,16.

    ``full`` returns all combinations.
    """
    if full:
        shapes = list(product(hidden or WIDTHS, batch_sizes or BATCH_SIZES))
    elif hidden or batch_sizes:
        shapes = list(product(hidden or WIDTHS[:1], batch_sizes or [100]))
    else:
        shapes = [(WIDTHS[0], size) for size in BATCH_SIZES] + [(width, 100) for width in WIDTHS[1:]]
    cases = []
    for neurons, size in shapes:
        most = len(data.train.first(limit or (size and MOST_STEPS * size)))
        counts = threads or sorted({1, usable_cores()})
        cases += [Case(Job(neurons, size, limit=most), count) for count in counts]
    return sorted(cases, key=lambda case: case.threads)  # stable: one team of workers for each number of threads


def measure(
    cases: Sequence[Case], systems: Sequence[str], rounds: int, source: Source, data: Dataset
) -> Iterator[Agreement | Comparison]:
    """Measure each case, and check each network before its first case."""
    checked = set()
    for threads, group in groupby(cases, key=lambda case: case.threads):
        with workers(systems, sorted({1, threads}), source) as team:
            for case in group:
                if case.job.hidden not in checked:
                    checked.add(case.job.hidden)
                    yield from check(case.job, team)
                comparison, costs = compare(case, team, rounds, data)
                yield comparison
                if len(costs) > 1:
                    what = f"over the training examples, after each of {counted(rounds, 'epoch')}, on average"
                    yield Agreement(what, costs, OTHER_ORDER)


def check(job: Job, team: Team) -> Iterator[Agreement]:
    """Check that all systems compute the same: a few steps with few examples in one batch, without shuffling."""
    for cost in COSTS:
        able = [name for name in team if cost in SYSTEMS[name].costs]
        small = replace(job, cost=cost, batch_size=None, limit=CHECKED_EXAMPLES)
        costs = {}
        for name, worker in ((name, team[name][1]) for name in able):
            worker.prepare(small)
            for _ in range(CHECKED_STEPS):
                worker.epoch()
            costs[name] = worker.cost()
        if len(costs) > 1:
            network = f"{format_hidden(job.hidden)}, {cost}"
            what = f"after {CHECKED_STEPS} steps with the first {CHECKED_EXAMPLES} examples ({network})"
            yield Agreement(what, costs, SAME_ORDER)


def compare(case: Case, team: Team, rounds: int, data: Dataset) -> tuple[Comparison, dict[str, float]]:
    """Measure an epoch of each system in turn, round by round. The first round, a warm-up, is not counted."""
    every = [(name, threads, worker) for name, several in team.items() for threads, worker in several.items()]
    seconds = {name: {threads: list[float]() for threads in several} for name, several in team.items()}
    cores = {name: {threads: list[float]() for threads in several} for name, several in team.items()}
    for _, _, worker in every:
        worker.prepare(case.job)
    after: dict[str, list[float]] = {
        name: [] for name in team if name != "lesson" and case.job.cost in SYSTEMS[name].costs
    }
    for number_of_round in range(rounds + 1):
        for name, threads, worker in every:
            elapsed, busy = worker.epoch()
            if number_of_round > 0:
                seconds[name][threads].append(elapsed)
                cores[name][threads].append(busy)
        for name, values in after.items():
            values.append(team[name][1].cost())
    costs = {name: mean(values[1:]) for name, values in after.items()}
    labels = {name: SYSTEMS[name].label for name in team}
    best = {name: best_threads(several) for name, several in seconds.items()}
    return (
        Comparison(
            title(case, data),
            {"threads": case.threads, **asdict(case.job)},
            {labels[name]: seconds[name][threads] for name, threads in best.items()},
            {
                "threads": {labels[name]: f"{threads}" for name, threads in best.items()},
                "cores": {labels[name]: f"{median(cores[name][threads]):.1f}" for name, threads in best.items()},
                "mean cost": {labels[name]: number(cost) for name, cost in costs.items()},
            },
        ),
        costs,
    )


def title(case: Case, data: Dataset) -> str:
    """Return a description of an epoch of this case."""
    job = case.job
    sizes = "-".join(map(str, (data.pixels, *job.hidden, data.classes)))
    of = counted(len(data.train.first(job.limit)), "example")
    threads = ("up to " if case.threads > 1 else "") + counted(case.threads, "thread")
    return f"{sizes}, batch {format_batch_size(job.batch_size)}, {of}, {threads}"


def summary(comparisons: Sequence[Comparison]) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of a table with all ratios, each followed by the system's number of threads."""
    first, *others = comparisons[0].seconds
    rows = [
        [
            comparison.title,
            f"{number(comparison.median(first))}{_threads(comparison, first)}",
            *(f"{number(comparison.ratio(name))}{_threads(comparison, name)}" for name in others),
        ]
        for comparison in comparisons
    ]
    return ["an epoch (threads, if not 1)", f"{first}, s", *(f"{name}, ×" for name in others)], rows


def _threads(comparison: Comparison, name: str) -> str:
    threads = comparison.remarks_on(name)["threads"]
    return "" if threads == "1" else f" ({threads})"
