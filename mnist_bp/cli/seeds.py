"""``mnist-bp train --seeds``: several trainings in parallel, each in its own process, and their summary."""

import sys
from collections import defaultdict
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, cast

from mnist_bp.cli.signals import first_interrupt, on_suspend, stop_this_process
from mnist_bp.cores import usable_cores
from mnist_bp.errors import AnswerIsNo, DataUnavailable, ExitCode, MnistBpError, OutputClosed
from mnist_bp.reports.console import Console, printable
from mnist_bp.reports.seeds import SeedsReport
from mnist_bp.shell import program_command
from mnist_bp.training.run_folder import RunFolder
from mnist_bp.training.seeds import SeedRun, TimeLimit, name_seeds, reopen_series, seed_command, summarize
from mnist_bp.training.settings import Settings
from mnist_bp.training.worker_pool import Ended, News, WorkerPool

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset
    from mnist_bp.training.mpi_ranks import MpiRanks
    from mnist_bp.training.ranks import Ranks

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


def train_seeds(
    settings: Settings,
    seeds: int,
    data: "Dataset",
    output: Path | None,
    resume: Path | None,
    console: Console,
    *,
    name: str | None,
    ranks: "Ranks",
    max_seconds: float | None,
    min_accuracy: float | None,
    started: float,
    debug: bool = False,
) -> None:
    """Train a network with each of ``seeds`` seeds, from ``settings.seed`` on, and print a summary.

    Each network equals the one of ``train --seed``, with the same number of threads, in a folder ``seed-<seed>``. The
    number of parallel trainings is the number of cores divided by the threads of each. The core of the augmentation is
    not counted: on two cores, two processes with one thread each leave no core idle.

    Parameters
    ----------
    data
        Dataset of all trainings, already loaded, so that nothing is left to download.
    output
        Folder for their folders; None: ``runs/<time>-<sizes>``.
    resume
        Such a folder. Each training resumes after its last finished epoch; those without one start.
    name
        Name of a new folder, see ``RunFolder.create``.
    ranks
        Processes that train whole networks each; a single one starts processes on this machine.
    max_seconds
        Limit of the wall time of all trainings in seconds, see ``TimeLimit``; None: no limit.
    min_accuracy
        Required mean accuracy; None: no requirement.
    started
        Start of the command, by ``time.perf_counter``.
    debug
        Print the standard error of the trainings, with the tracebacks of their errors.

    Raises
    ------
    MnistBpError
        If a training fails, or the mean is too low.
    OutputClosed
        If standard output was closed and trainings were interrupted because of it.
    KeyboardInterrupt
        If trainings were interrupted. Each has saved its finished epochs.
    """
    sizes = (data.pixels, *settings.hidden, data.classes)
    options = {**settings.options(), "seeds": seeds}
    if resume is None:
        folder = RunFolder.create(output, sizes, options, name=name, dataset=data.name)
    else:
        folder = reopen_series(resume, settings, options)
    chosen = range(settings.seed, settings.seed + seeds)
    runs = {seed: SeedRun(seed, folder.folder / f"seed-{seed}") for seed in chosen}
    n_parallel = min(seeds, ranks.size if ranks.size > 1 else max(1, usable_cores() // settings.threads))
    report = SeedsReport(console, settings, data, list(runs.values()), folder)
    report.start(n_parallel, max_seconds)
    if ranks.size > 1:
        from mnist_bp.cli.seeds_on_ranks import RankPool

        pool: RankPool | WorkerPool = RankPool(cast("MpiRanks", ranks), settings, [*runs.values()], data, max_seconds)
    else:
        pool = _workers(settings, runs, n_parallel, max_seconds, debug=debug)
    with (
        pool as trainings,
        first_interrupt(trainings.stop),
        on_suspend(trainings.suspend),
        report,
    ):
        for news in trainings.news():
            if news is not None:
                _take(runs[news.seed], news, report, data)
            report.refresh()
            if console.is_unread:
                trainings.stop(OutputClosed)
    if finished := [run for run in runs.values() if run.is_finished]:
        RunFolder(finished[0].folder).make_latest()  # not the one that happened to finish last
    summary = summarize(list(runs.values()))
    report.end(summary, perf_counter() - started)
    if failed := [run for run in runs.values() if not run.is_finished]:
        raise trainings.stopped_by or _Unfinished(failed)
    accuracy = summary["test_accuracy"]["mean"]
    if min_accuracy is not None and accuracy < min_accuracy:
        raise AnswerIsNo(f"mean test accuracy {accuracy:.4f} is below --min-accuracy {min_accuracy:g}")


def _workers(
    settings: Settings, runs: dict[int, SeedRun], n_parallel: int, max_seconds: float | None, *, debug: bool
) -> WorkerPool:
    """Return the pool of processes of this machine."""
    limit = None if max_seconds is None else TimeLimit(max_seconds, len(runs), n_parallel)

    def arguments(n_waiting: int) -> list[str]:
        return [] if limit is None else ["--max-seconds", str(limit.part(n_waiting))]

    more = ["--debug"] if debug else []
    return WorkerPool(
        {seed: [*seed_command(settings, run), *more] for seed, run in runs.items()},
        n_parallel,
        on_suspend=stop_this_process,
        arguments=arguments,
        on_errors=_print_errors if debug else None,
    )


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
