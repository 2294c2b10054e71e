"""``mnist-bp train --seeds``: several trainings in parallel, each in its own process, and their summary."""

import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mnist_bp.cli.request import Request
from mnist_bp.cli.signals import first_interrupt, on_suspend, stop_this_process
from mnist_bp.errors import DataUnavailable, ExitCode, MnistBpError, OutputClosed
from mnist_bp.reports.console import Console, printable
from mnist_bp.reports.seeds import SeedsReport
from mnist_bp.shell import program_command
from mnist_bp.training.run_folder import RunFolder
from mnist_bp.training.seeds import SeedRun, TimeLimit, name_seeds, reopen_series, seed_command, summarize
from mnist_bp.training.threads import parallel_trainings
from mnist_bp.training.worker_pool import Ended, News, WorkerPool

if TYPE_CHECKING:
    from mnist_bp.cli.seeds_on_ranks import RankPool
    from mnist_bp.data.datasets import Dataset
    from mnist_bp.training.mpi_ranks import MpiRanks

__all__ = ["train_seeds"]

FAILURES = {*ExitCode} - {ExitCode.DONE}


class _Unfinished(MnistBpError):
    """Failure of one or more trainings.

    The exit code is the highest of theirs. A worker that was killed, or that ended with a code that is no ``ExitCode``
    of a failure, counts as an internal error.
    """

    def __init__(self, runs: list[SeedRun]) -> None:
        seeds = defaultdict(list)
        for run in runs:
            seeds[run.error].append(run.seed)
        super().__init__("; ".join(f"{name_seeds(same)}: {why}" for why, same in seeds.items()))
        self.exit_code = max(run.code if run.code and run.code in FAILURES else ExitCode.INTERNAL for run in runs)


def train_seeds(request: Request, seeds: int, console: Console, *, debug: bool = False) -> None:
    """Train a network with each of ``seeds`` seeds, from ``settings.seed`` on, and print a summary.

    Each network equals the one of ``train --seed``, with the same number of threads, in a folder ``seed-<seed>``. In a
    series that is resumed, each training resumes after its last finished epoch; those without one start. With several
    ranks, each trains whole networks; a single one starts processes on this machine. ``debug`` prints the standard
    error of these, with the tracebacks of their errors.

    Raises
    ------
    MnistBpError
        If a training fails, or the mean accuracy is too low.
    OutputClosed
        If standard output was closed and trainings were interrupted because of it.
    KeyboardInterrupt
        If trainings were interrupted. Each has saved its finished epochs.
    """
    folder = _folder(request, seeds)
    chosen = range(request.settings.seed, request.settings.seed + seeds)
    runs = {seed: SeedRun(seed, folder.folder / f"seed-{seed}") for seed in chosen}
    report = SeedsReport(console, request.settings, request.data, list(runs.values()), folder)
    n_parallel = _n_parallel(request, seeds)
    report.start(n_parallel, request.max_seconds)
    stopped_by = _train_all(_pool(request, runs, n_parallel, debug=debug), runs, report, request.data, console)
    if finished := [run for run in runs.values() if run.is_finished]:
        RunFolder(finished[0].folder).make_latest()  # not the one that happened to finish last
    summary = summarize(list(runs.values()))
    report.end(summary, request.seconds)
    if failed := [run for run in runs.values() if not run.is_finished]:
        raise stopped_by or _Unfinished(failed)
    request.require_accuracy(summary["test_accuracy"]["mean"], name="mean test accuracy")


def _folder(request: Request, seeds: int) -> RunFolder:
    """Create the folder of the series, or reopen it."""
    settings, data = request.settings, request.data
    options = {**settings.options(), "seeds": seeds}
    if request.resume is not None:
        return reopen_series(request.resume, settings, options)
    sizes = (data.pixels, *settings.hidden, data.classes)
    return RunFolder.create(request.output, sizes, options, name=request.name, dataset=data.name)


def _n_parallel(request: Request, seeds: int) -> int:
    """Return the number of parallel trainings: one on each rank, or as many as this machine has cores for."""
    ranks = request.ranks.size
    return min(seeds, ranks if ranks > 1 else parallel_trainings(request.settings.threads))


def _pool(request: Request, runs: dict[int, SeedRun], n_parallel: int, *, debug: bool) -> "RankPool | WorkerPool":
    """Return the pool of the ranks, or of processes of this machine."""
    if request.ranks.size > 1:
        from mnist_bp.cli.seeds_on_ranks import RankPool

        ranks = cast("MpiRanks", request.ranks)
        return RankPool(ranks, request.settings, [*runs.values()], request.data, request.max_seconds)
    limit = None if request.max_seconds is None else TimeLimit(request.max_seconds, len(runs), n_parallel)

    def arguments(n_waiting: int) -> list[str]:
        return [] if limit is None else ["--max-seconds", str(limit.part(n_waiting))]

    more = ["--debug"] if debug else []
    return WorkerPool(
        {seed: [*seed_command(request.settings, run), *more] for seed, run in runs.items()},
        n_parallel,
        on_suspend=stop_this_process,
        arguments=arguments,
        on_errors=_print_errors if debug else None,
    )


def _train_all(
    pool: "RankPool | WorkerPool", runs: dict[int, SeedRun], report: SeedsReport, data: "Dataset", console: Console
) -> type[KeyboardInterrupt | OutputClosed] | None:
    """Train all networks and report them. Return the exception that stopped them early, or None."""
    with pool as trainings, first_interrupt(trainings.stop), on_suspend(trainings.suspend), report:
        for news in trainings.news():
            if news is not None:
                _take(runs[news.seed], news, report, data)
            report.refresh()
            if console.is_unread:
                trainings.stop(OutputClosed)
    return trainings.stopped_by


def _take(run: SeedRun, news: News, report: SeedsReport, data: "Dataset") -> None:
    """Store the news of a training, and report them."""
    if isinstance(news.what, Ended):
        run.code = news.what.code
        if not run.is_finished:
            run.error = _why(news.what, run.folder.parent)
        report.ended(run)
        return
    if news.what["event"] == "start" and news.what["dataset"] != data.name:
        raise DataUnavailable(f"seed {run.seed} found {news.what['dataset']} instead of {data.name}")
    run.take(news.what)
    report.record(run, news.what)


def _why(ended: Ended, folder: Path) -> str:
    if ended.code in FAILURES and ended.last_words:
        return ended.last_words.removeprefix("mnist-bp: ")
    return f"worker {ended}; resume with: {program_command('train', '--resume', folder)}"


def _print_errors(seed: int, lines: list[str]) -> None:
    sys.stderr.writelines(f"seed {seed}: {printable(line)}\n" for line in lines)
