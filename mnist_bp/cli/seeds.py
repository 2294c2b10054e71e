"""``mnist-bp train --seeds``: several trainings at a time, each in a process of its own, and what they come to."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from time import perf_counter
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Self

import mnist_bp
from mnist_bp.cli.signals import first_interrupt, on_suspend, stop_this_process
from mnist_bp.cores import usable_cores
from mnist_bp.errors import AnswerIsNo, DataUnavailable, ExitCode, InputError, MnistBpError, OutputClosed
from mnist_bp.reports.console import Console, printable
from mnist_bp.reports.seeds import SeedRun, SeedsReport, name_seeds, summarize
from mnist_bp.shell import program_command, word
from mnist_bp.training.run_folder import RunFolder
from mnist_bp.training.settings import Settings

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset

__all__ = ["train_seeds"]

MOMENT = 0.1
"""Seconds between two looks at the clock and at Ctrl-C, while no training says anything."""

FAILURES = {*ExitCode} - {ExitCode.DONE}


class _Unfinished(MnistBpError):
    """Trainings that failed.

    The highest of their exit codes is the command's. A worker that was killed, or that ended with a code that is no
    ``ExitCode`` of a failure, counts as an internal error.
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
    min_accuracy: float | None,
    started: float,
    debug: bool = False,
) -> None:
    """Train a network by ``settings`` from each of ``seeds`` seeds, ``settings.seed`` the first, and report on all.

    Each is what ``train --seed`` alone makes of that seed, with as many threads, in a folder ``seed-<seed>``. As many
    train at once as have their threads' worth of cores. The core that distortions keep busy beside them is not counted:
    two processes of a thread each on two cores leave none idle, where one after the other would.

    Parameters
    ----------
    data
        What all train on, loaded, so that nothing is left to download.
    output
        The folder of their folders; None: ``runs/<time>-<sizes>``.
    resume
        Such a folder, to go on with each from its last finished epoch, and to begin those that have none.
    min_accuracy
        What the mean of the accuracies has to reach; None: anything.
    started
        When the command began, by ``time.perf_counter``.
    debug
        Show what the trainings write to standard error: the tracebacks of their errors.

    Raises
    ------
    MnistBpError
        If a training fails, or the mean is too low.
    OutputClosed
        If the reader of standard output has left, and trainings were interrupted because of it.
    KeyboardInterrupt
        If trainings were interrupted; each has saved what it had finished.
    """
    sizes = (data.pixels, *settings.hidden, data.classes)
    options = {**settings.options(), "seeds": seeds}
    folder = RunFolder.create(output, sizes, options) if resume is None else _reopen(resume, settings, options)
    chosen = range(settings.seed, settings.seed + seeds)
    runs = {seed: SeedRun(seed, folder.folder / f"seed-{seed}") for seed in chosen}
    n_parallel = min(seeds, max(1, usable_cores() // settings.threads))
    report = SeedsReport(console, settings, data, list(runs.values()), folder)
    report.start(n_parallel)
    more = ["--debug"] if debug else []
    commands = {seed: [*_command(settings, run), *more] for seed, run in runs.items()}
    with (
        _Trainings(commands, n_parallel, show_errors=debug) as trainings,
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
    summary = summarize(list(runs.values()))
    report.end(summary, perf_counter() - started)
    if failed := [run for run in runs.values() if not run.is_finished]:
        raise trainings.stopped_by or _Unfinished(failed)
    accuracy = summary["test_accuracy"]["mean"]
    if min_accuracy is not None and accuracy < min_accuracy:
        raise AnswerIsNo(f"mean test accuracy {accuracy:.4f} is under --min-accuracy {min_accuracy:g}")


def _reopen(folder: Path, settings: Settings, options: dict[str, Any]) -> RunFolder:
    """The folder of several runs, to go on with them; its history begins anew: what is finished says so again.

    InputError for epochs with which one of its runs could not go on: once its config had them, there would be no way
    back; and for the folder of a single run, whose history that would be.
    """
    run = RunFolder.reopen(folder)
    if run.checkpoint.exists():
        raise InputError(f"{folder} holds a single run: the seeds in its config are not its own")
    planned = tomllib.loads(run.config.read_text(encoding="utf-8-sig")).get("epochs", settings.epochs)
    if settings.epochs != planned and "epochs" not in settings.resumable:
        raise InputError(f"{folder} cannot have other epochs: a --schedule but constant runs over all from the start")
    for one in map(RunFolder, sorted(folder.glob("seed-*"))):
        if (had := len(one.read_history())) > settings.epochs:
            raise InputError(f"{one.folder} has had {had} epochs already; --epochs says {settings.epochs}")
    run.resume(0, options)
    return run


def _command(settings: Settings, run: SeedRun) -> list[str]:
    """What trains this seed alone, or goes on with it."""
    # Without -P, Python looks for this package in the working folder first: right only if it is there.
    safe = [] if Path(mnist_bp.__file__).parents[1] == Path.cwd() else ["-P"]
    values = settings.options()
    if RunFolder(run.folder).config.is_file():
        values = {key: value for key, value in values.items() if key in settings.resumable} | {"resume": run.folder}
    else:
        values |= {"seed": run.seed, "output": run.folder}
    options = [f"--{key}={word(value)}" for key, value in values.items()]
    return [sys.executable, *safe, "-m", "mnist_bp", "train", "--json", "--quiet", *options]


class _Ended(NamedTuple):
    """The end of a process: its exit code, and the last line that it wrote to standard error."""

    code: int
    last_words: str


class _News(NamedTuple):
    """A record of a training, or its end."""

    seed: int
    what: dict[str, Any] | _Ended


def _take(run: SeedRun, news: _News, report: SeedsReport, data: "Dataset") -> None:
    """Keep what a training says, and tell it."""
    if isinstance(news.what, _Ended):
        run.code = news.what.code
        if not run.is_finished:
            run.error = _why(news.what, run.folder.parent)
        report.ended(run)
        return
    if news.what["event"] == "start" and news.what["dataset"] != data.name:
        raise DataUnavailable(f"seed {run.seed} found {news.what['dataset']} in place of {data.name}, which was there")
    run.take(news.what)
    report.record(run, news.what)


def _why(ended: _Ended, folder: Path) -> str:
    if ended.code in FAILURES and ended.last_words:
        return ended.last_words.removeprefix("mnist-bp: ")
    return f"worker {_end_of_worker(ended.code)}; resume with: {program_command('train', '--resume', folder)}"


def _end_of_worker(code: int) -> str:
    """Return how a worker ended that reported no failure of its own."""
    if code >= 0:
        return f"ended with exit code {code} before its training was finished"
    name = signal.Signals(-code).name if -code in {*signal.Signals} else f"signal {-code}"
    return f"killed by {name}{' (out of memory?)' if name == 'SIGKILL' else ''}"


class _Trainings:
    """Processes, so many of them at a time, and what they say as it comes.

    Those that still run at the end of the ``with`` block, which an error has brought about, are killed: what they have
    finished is on disk after each epoch.
    """

    def __init__(self, commands: Mapping[int, list[str]], n_parallel: int, *, show_errors: bool = False) -> None:
        self._show_errors = show_errors
        self._waiting = deque(commands.items())
        self._n_parallel = n_parallel
        self._running: dict[int, subprocess.Popen[str]] = {}
        self._news: SimpleQueue[_News] = SimpleQueue()
        self.stopped_by: type[KeyboardInterrupt | OutputClosed] | None = None
        self._is_starting = self._is_to_suspend = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.wait()

    def stop(self, reason: type[KeyboardInterrupt | OutputClosed] = KeyboardInterrupt) -> None:
        """Let ``news`` begin no more, and interrupt those that run: each saves what it has finished."""
        self.stopped_by = self.stopped_by or reason

    def suspend(self) -> None:
        """Stop those that run, then this process; continue them when it is continued."""
        if sys.platform == "win32":  # which has no Ctrl-Z
            return
        self._is_to_suspend = self._is_starting  # one that is being started cannot be stopped yet
        if self._is_to_suspend:
            return
        for process in self._running.values():
            process.send_signal(signal.SIGSTOP)
        try:
            stop_this_process()
        finally:
            for process in self._running.values():
                process.send_signal(signal.SIGCONT)

    def news(self) -> Iterator[_News | None]:
        """Give what they say until all have ended, and None whenever a moment has passed."""
        is_interrupted = False
        while self._waiting or self._running:
            if self.stopped_by and not is_interrupted:
                is_interrupted = True
                self._interrupt()
            while self._waiting and len(self._running) < self._n_parallel:
                self._start(*self._waiting.popleft())
            try:
                news = self._news.get(timeout=MOMENT)
            except Empty:
                yield None
                continue
            if isinstance(news.what, _Ended):
                del self._running[news.seed]
            yield news

    def _interrupt(self) -> None:
        self._waiting.clear()
        if sys.platform == "win32" and self.stopped_by is KeyboardInterrupt:
            return  # the console interrupts them as well
        for process in self._running.values():
            # As Ctrl-C, which would be ignored if this process is one in the background. Windows knows no gentle end:
            # there a closed output ends each at once, and what it has finished is on disk after each epoch.
            process.terminate()

    def _start(self, seed: int, command: list[str]) -> None:
        self._is_starting = True
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by who reads it
        process = subprocess.Popen(  # noqa: S603 - this Python, with options that were checked
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            **_A_GROUP_OF_ITS_OWN,
        )
        self._running[seed] = process
        self._is_starting = False
        if self._is_to_suspend:
            self.suspend()
        threading.Thread(target=self._follow, args=(seed, process, errors), daemon=True).start()

    def _follow(self, seed: int, process: "subprocess.Popen[str]", errors: IO[bytes]) -> None:
        """Hand on what a process says, and that it has ended: the work of a thread."""
        assert process.stdout is not None
        with errors, process.stdout:
            for line in process.stdout:
                with suppress(json.JSONDecodeError):  # half a line, of a process that was killed
                    self._news.put(_News(seed, json.loads(line)))
            code = process.wait()
            errors.seek(0)
            lines = errors.read().decode("utf-8", "replace").splitlines()
        if self._show_errors:
            sys.stderr.writelines(f"seed {seed}: {printable(line)}\n" for line in lines)
        self._news.put(_News(seed, _Ended(code, lines[-1] if lines else "")))


_A_GROUP_OF_ITS_OWN: dict[str, Any] = {} if sys.platform == "win32" else {"process_group": 0}
"""So that a terminal's Ctrl-C and Ctrl-Z reach this process alone, which then interrupts each training once: a second
time would break into its saving. On Windows, Ctrl-C reaches all that share the console."""
