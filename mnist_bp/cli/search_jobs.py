"""Trials of ``mnist-bp search``: in this process, or in several, each of which runs ``search --resume``."""

import threading
import time
from collections.abc import Iterator
from typing import Any

from mnist_bp.cli.search_setup import Search
from mnist_bp.cli.signals import first_interrupt, on_suspend, stop_this_process
from mnist_bp.cores import usable_cores
from mnist_bp.errors import ExitCode, MnistBpError, OutputClosed
from mnist_bp.reports.console import Console
from mnist_bp.reports.search import SearchReport
from mnist_bp.search.objective import Objective
from mnist_bp.search.results import trial_record, trial_records
from mnist_bp.search.trials import run_trials
from mnist_bp.shell import option_words
from mnist_bp.training.worker_pool import Ended, WorkerPool, own_command

__all__ = ["run_search"]

ENDS = {ExitCode.DONE, ExitCode.ANSWER_IS_NO, ExitCode.INTERRUPTED}
"""Exit codes of a process that has run its trials: it may have no complete one."""


class _Failed(MnistBpError):
    """Failure of all processes, with the highest of their exit codes."""

    def __init__(self, ended: list[Ended]) -> None:
        super().__init__("; ".join(dict.fromkeys(map(_why, ended))))
        codes = [each.code for each in ended]
        self.exit_code = max(code if code in {*ExitCode} else ExitCode.INTERNAL for code in codes)


def run_search(
    found: Search, report: SearchReport, console: Console, jobs: int, timeout: float | None
) -> KeyboardInterrupt | MnistBpError | None:
    """Run the trials that are left, and report each. Return the exception that ended the search early, or None."""
    if jobs > 1:
        return _run_jobs(found, report, console, jobs, timeout)
    try:
        for record in _trials(found, report, console, timeout):
            report.trial(record)
    except (KeyboardInterrupt, OutputClosed) as error:
        return error
    return None


def _trials(found: Search, report: SearchReport, console: Console, timeout: float | None) -> Iterator[dict[str, Any]]:
    """Run trials in this process, and yield the record of each."""
    interrupt, started, study = threading.Event(), time.monotonic(), found.study

    def on_moment() -> None:
        if interrupt.is_set():
            raise KeyboardInterrupt
        console.require_reader()
        report.refresh(lambda: trial_records(study))

    def is_late() -> bool:
        on_moment()
        return timeout is not None and time.monotonic() - started >= timeout

    objective = Objective(found.space, found.data, on_moment)
    with first_interrupt(interrupt.set), report:
        for trial in run_trials(study, objective, found.trials, is_late=is_late, on_wait=on_moment):
            yield trial_record(study, trial)


def _run_jobs(
    found: Search, report: SearchReport, console: Console, jobs: int, timeout: float | None
) -> KeyboardInterrupt | MnistBpError | None:
    """Run trials in several processes. A process that is killed loses its trial, and the others continue."""
    commands = {number: _command(found, jobs, timeout) for number in range(1, jobs + 1)}
    ended: list[Ended] = []
    with (
        WorkerPool(commands, jobs, on_suspend=stop_this_process) as workers,
        first_interrupt(workers.stop),
        on_suspend(workers.suspend),
        report,
    ):
        for news in workers.news():
            match news:
                case (number, Ended() as end):
                    ended.append(end)
                    if end.code not in ENDS:
                        console.warn(f"process {number} of {jobs}: {_why(end)}")
                case (_, {"event": "trial"} as record):
                    report.trial(record)
            report.refresh(lambda: trial_records(found.study))
            if console.is_unread:
                workers.stop(OutputClosed)
    if workers.stopped_by is not None:
        return workers.stopped_by()
    return _Failed(ended) if all(each.code not in ENDS for each in ended) else None


def _command(found: Search, jobs: int, timeout: float | None) -> list[str]:
    """Return the command of a process, which joins the study."""
    settings = found.space.settings
    options = {
        "resume": found.folder,
        "storage": found.storage,
        "data-dir": settings.data_dir,
        "class-names": settings.class_names,
        "threads": found.space.threads or max(1, usable_cores() // jobs),
        "timeout": timeout,
    }
    return own_command("search", "--json", "--quiet", *option_words(options))


def _why(ended: Ended) -> str:
    is_known = ended.code in {*ExitCode} and ended.last_words
    return ended.last_words.removeprefix("mnist-bp: ") if is_known else str(ended)
