"""Measurements of an epoch of each system, in turn, for several widths, batch sizes and numbers of threads."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby, product
from statistics import mean, median

from _shared.tables import counted, number

from _bench.jobs import Job, Source
from _bench.peers import SYSTEMS
from _bench.pool import Worker, workers
from _bench.results import Agreement, Comparison
from mnist_bp.core.choices import COSTS
from mnist_bp.data.datasets import Dataset
from mnist_bp.training.notation import format_batch_size, format_hidden
from mnist_bp.training.threads import default_threads

WIDTHS = ((16, 16), (30,), (100,), (300, 100), (800,), (800, 800))
BATCH_SIZES = (1, 10, 100, 1000, None)
THREADS = (1, 2)

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
    """A job and its number of threads."""

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
        counts = threads or (THREADS if full else sorted({1, default_threads(neurons)}))
        cases += [Case(Job(neurons, size, limit=most), count) for count in counts]
    return sorted(cases, key=lambda case: case.threads)  # stable: one team of workers for each number of threads


def measure(
    cases: Sequence[Case], systems: Sequence[str], rounds: int, source: Source, data: Dataset
) -> Iterator[Agreement | Comparison]:
    """Measure each case, and check each network before its first case."""
    checked = set()
    for threads, group in groupby(cases, key=lambda case: case.threads):
        with workers(systems, threads, source) as team:
            for case in group:
                if case.job.hidden not in checked:
                    checked.add(case.job.hidden)
                    yield from check(case.job, team)
                comparison, costs = compare(case, team, rounds, data)
                yield comparison
                if len(costs) > 1:
                    what = f"over the training examples, after each of {counted(rounds, 'epoch')}, on average"
                    yield Agreement(what, costs, OTHER_ORDER)


def check(job: Job, team: dict[str, Worker]) -> Iterator[Agreement]:
    """Check that all systems compute the same: a few steps with few examples in one batch, without shuffling."""
    for cost in COSTS:
        able = [name for name in team if cost in SYSTEMS[name].costs]
        small = replace(job, cost=cost, batch_size=None, limit=CHECKED_EXAMPLES)
        costs = {}
        for name in able:
            team[name].prepare(small)
            for _ in range(CHECKED_STEPS):
                team[name].epoch()
            costs[name] = team[name].cost()
        if len(costs) > 1:
            network = f"{format_hidden(job.hidden)}, {cost}"
            what = f"after {CHECKED_STEPS} steps with the first {CHECKED_EXAMPLES} examples ({network})"
            yield Agreement(what, costs, SAME_ORDER)


def compare(case: Case, team: dict[str, Worker], rounds: int, data: Dataset) -> tuple[Comparison, dict[str, float]]:
    """Measure an epoch of each system in turn, round by round. The first round, a warm-up, is not counted."""
    turns: dict[str, list[tuple[float, float]]] = {name: [] for name in team}
    for worker in team.values():
        worker.prepare(case.job)
    after: dict[str, list[float]] = {
        name: [] for name in team if name != "lesson" and case.job.cost in SYSTEMS[name].costs
    }
    for _ in range(rounds + 1):
        for name, worker in team.items():
            turns[name].append(worker.epoch())
        for name, values in after.items():
            values.append(team[name].cost())
    costs = {name: mean(values[1:]) for name, values in after.items()}
    labels = {name: SYSTEMS[name].label for name in team}
    return (
        Comparison(
            title(case, data),
            {"threads": case.threads, **asdict(case.job)},
            {labels[name]: [seconds for seconds, _ in turns[name][1:]] for name in team},
            {
                "cores": {labels[name]: f"{median(cores for _, cores in turns[name][1:]):.1f}" for name in team},
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
    return f"{sizes}, batch {format_batch_size(job.batch_size)}, {of}, {counted(case.threads, 'thread')}"


def summary(comparisons: Sequence[Comparison]) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of a table with all ratios."""
    names = list(comparisons[0].seconds)
    rows = [
        [comparison.title, number(comparison.median(names[0])), *(number(comparison.ratio(name)) for name in names[1:])]
        for comparison in comparisons
    ]
    return ["an epoch", f"{names[0]}, s", *(f"{name}, ×" for name in names[1:])], rows
