"""``mnist-bp search``."""

import time
from typing import Any

import typer

from mnist_bp.cli.config import Config
from mnist_bp.cli.options import Json, PlotFormat, Quiet, help_text
from mnist_bp.cli.search_options import Jobs, SearchFolder, SearchPlot, Storage, Study, Timeout, Trials
from mnist_bp.errors import AnswerIsNo, InputError, OutputClosed
from mnist_bp.reports.console import Console
from mnist_bp.reports.plot_formats import DEFAULT_FORMAT
from mnist_bp.reports.plots import check_plot, plot_search
from mnist_bp.reports.search import SearchReport
from mnist_bp.search.space import Space
from mnist_bp.shell import install_command

__all__ = ["search"]


@help_text("""A setting takes one value, a range (--learning-rate 0.1:5), or choices (--hidden '16,16|30'). Trials are
compared by their accuracy on a validation set; the test set is not used. Hopeless trials are pruned.

Example: mnist-bp search --dataset synthetic --limit 2000 --trials 8 --learning-rate 0.1:5
""")
def search(
    context: typer.Context,
    *,
    space: Space,
    trials: Trials = 40,
    jobs: Jobs = 1,
    timeout: Timeout = None,
    storage: Storage = None,
    output: SearchFolder = None,
    study: Study = None,
    config: Config = None,  # noqa: ARG001 - its callback has set the defaults of the other options
    plot: SearchPlot = False,
    plot_format: PlotFormat = DEFAULT_FORMAT,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    started = time.perf_counter()
    _require_optuna()
    check_plot(plot, plot_format)
    console = Console(json=json, quiet=quiet)
    from mnist_bp.cli.search_jobs import run_search
    from mnist_bp.cli.search_setup import join_search, new_search
    from mnist_bp.search.results import summarize, trial_records, write_best
    from mnist_bp.search.study import using_storage, without_password

    with using_storage(storage):
        if study is None:
            found = new_search(context, space, trials, storage, output, console)
        else:
            found = join_search(context, study, storage, console)
        more = () if storage is None else ("--storage", without_password(storage))
        report = SearchReport(console, found.data, found.space, ("search", "--resume", found.folder, *more))
        report.start(found.trials, jobs, timeout)
        failure = run_search(found, report, console, jobs, timeout)
        summary, records = summarize(found.study), trial_records(found.study)
        best = write_best(found.study, found.space, found.folder)
    plots = None
    if plot:
        drawn = (records, summary["importances"], found.space.scales)
        plots = plot_search(*drawn, found.data, found.folder, plot_format)
    summary = {"reason": _reason(failure, summary, found.trials), "trials": found.trials, **summary}
    report.end(summary, records, found.folder, best, plots, time.perf_counter() - started)
    if failure is not None:
        raise failure
    if summary["best_trial"] is None:
        raise AnswerIsNo("no trial is complete: all were pruned or failed; try other values")


def _reason(failure: BaseException | None, summary: dict[str, Any], trials: int) -> str:
    if failure is not None:
        return "interrupted" if isinstance(failure, KeyboardInterrupt | OutputClosed) else "failed"
    if summary["complete"] + summary["pruned"] >= trials:
        return "finished"
    return "running" if summary["running"] else "time"


def _require_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise InputError(f"search requires Optuna; to install it: {install_command('search')}") from error
