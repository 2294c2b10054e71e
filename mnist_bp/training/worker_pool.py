"""Process pool of ``train --seeds`` and ``search --jobs``: several processes at a time, each with its records."""

import json
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

import mnist_bp
from mnist_bp.errors import OutputClosed
from mnist_bp.launcher import without_launch

__all__ = ["Ended", "News", "WorkerPool", "own_command"]

MOMENT = 0.1
"""Seconds between two checks of the clock and of Ctrl-C while no training reports anything."""


def own_command(*words: str) -> list[str]:
    """Return the words that start a command of this program in a new process."""
    # Without -P, Python would look for this package in the working folder first.
    safe = [] if Path(mnist_bp.__file__).parents[1] == Path.cwd() else ["-P"]
    return [sys.executable, *safe, "-m", "mnist_bp", *words]


class Ended(NamedTuple):
    """The end of a process: its exit code, and the last line that it wrote to standard error."""

    code: int
    last_words: str

    def __str__(self) -> str:
        """Return a description of the end of a worker that did not report an error."""
        if self.code >= 0:
            return f"ended with exit code {self.code} before its training was finished"
        name = signal.Signals(-self.code).name if -self.code in {*signal.Signals} else f"signal {-self.code}"
        return f"killed by {name}{' (out of memory?)' if name == 'SIGKILL' else ''}"


class News(NamedTuple):
    """Record of a training, or its end."""

    seed: int
    what: dict[str, Any] | Ended


class WorkerPool:
    """Pool of training processes, at most ``n_parallel`` at a time, which yields their records as they arrive.

    Processes that are still running at the end of the ``with`` block, after an error, are killed. Their finished epochs
    are on disk.

    Parameters
    ----------
    commands
        Command of each seed's training, which writes JSON Lines to standard output.
    n_parallel
        Number of trainings that run at the same time.
    on_suspend
        Function that stops this process until it is continued.
    arguments
        Function (number of trainings that wait) ↦ further arguments of a command that starts now.
    on_errors
        Callback(seed, lines) with the standard error of a training that has ended.
    """

    def __init__(
        self,
        commands: Mapping[int, list[str]],
        n_parallel: int,
        *,
        on_suspend: Callable[[], object],
        arguments: Callable[[int], list[str]] = lambda _: [],
        on_errors: Callable[[int, list[str]], object] | None = None,
    ) -> None:
        self._on_suspend, self._arguments, self._on_errors = on_suspend, arguments, on_errors
        self._waiting = deque(commands.items())
        self._n_parallel = n_parallel
        self._running: dict[int, subprocess.Popen[str]] = {}
        self._news: SimpleQueue[News] = SimpleQueue()
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
        """Start no more trainings, and interrupt the running ones. Each saves its finished epochs."""
        self.stopped_by = self.stopped_by or reason

    def suspend(self) -> None:
        """Stop the running trainings, then this process. Continue them when it is continued."""
        if sys.platform == "win32":  # Windows has no Ctrl-Z
            return
        self._is_to_suspend = self._is_starting  # a process that is being started cannot be stopped yet
        if self._is_to_suspend:
            return
        for process in self._running.values():
            process.send_signal(signal.SIGSTOP)
        try:
            self._on_suspend()
        finally:
            for process in self._running.values():
                process.send_signal(signal.SIGCONT)

    def news(self) -> Iterator[News | None]:
        """Yield the records of the trainings until all have ended, and None after each ``MOMENT`` without one."""
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
            if isinstance(news.what, Ended):
                del self._running[news.seed]
            yield news

    def _interrupt(self) -> None:
        self._waiting.clear()
        if sys.platform == "win32" and self.stopped_by is KeyboardInterrupt:
            return  # the console interrupts them as well
        for process in self._running.values():
            # SIGTERM acts like Ctrl-C, which a background process would ignore. Windows terminates a process at once;
            # its finished epochs are on disk.
            process.terminate()

    def _start(self, seed: int, command: list[str]) -> None:
        self._is_starting = True
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the thread that reads it
        process = subprocess.Popen(  # noqa: S603 - this Python, with options that were checked
            [*command, *self._arguments(len(self._waiting))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            env={**without_launch(), "PYTHONIOENCODING": "utf-8"},
            **_SEPARATE_GROUP,
        )
        self._running[seed] = process
        self._is_starting = False
        if self._is_to_suspend:
            self.suspend()
        threading.Thread(target=self._follow, args=(seed, process, errors), daemon=True).start()

    def _follow(self, seed: int, process: "subprocess.Popen[str]", errors: IO[bytes]) -> None:
        """Forward the records of a process and its end. This runs in a thread."""
        assert process.stdout is not None
        with errors, process.stdout:
            for line in process.stdout:
                with suppress(json.JSONDecodeError):  # an incomplete line of a process that was killed
                    self._news.put(News(seed, json.loads(line)))
            code = process.wait()
            errors.seek(0)
            lines = errors.read().decode("utf-8", "replace").splitlines()
        if self._on_errors is not None:
            self._on_errors(seed, lines)
        self._news.put(News(seed, Ended(code, lines[-1] if lines else "")))


_SEPARATE_GROUP: dict[str, Any] = {} if sys.platform == "win32" else {"process_group": 0}
"""Options of ``Popen`` by which a terminal's Ctrl-C and Ctrl-Z reach only this process. It then interrupts each
training once; a second interrupt would abort saving. On Windows, Ctrl-C reaches all processes of the console."""
