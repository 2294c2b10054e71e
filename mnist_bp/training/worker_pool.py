"""Process pool of ``train --seeds``: several trainings at a time, each in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

from mnist_bp.errors import OutputClosed

__all__ = ["Ended", "News", "WorkerPool"]

MOMENT = 0.1
"""Seconds between two looks at the clock and at Ctrl-C, while no training reports anything."""


class Ended(NamedTuple):
    """The end of a process: its exit code, and the last line that it wrote to standard error."""

    code: int
    last_words: str

    def __str__(self) -> str:
        """Return how a worker ended that reported no failure of its own."""
        if self.code >= 0:
            return f"ended with exit code {self.code} before its training was finished"
        name = signal.Signals(-self.code).name if -self.code in {*signal.Signals} else f"signal {-self.code}"
        return f"killed by {name}{' (out of memory?)' if name == 'SIGKILL' else ''}"


class News(NamedTuple):
    """A record of a training, or its end."""

    seed: int
    what: dict[str, Any] | Ended


class WorkerPool:
    """Trainings in processes of their own, at most ``n_parallel`` at a time, and their records as they come.

    Those that still run at the end of the ``with`` block, because of an error, are killed: the epochs that they have
    finished are on disk.

    Parameters
    ----------
    commands
        Command of each seed's training, which writes JSON Lines to standard output.
    n_parallel
        Number of trainings that run at the same time.
    on_suspend
        Stops this process until it is continued.
    on_errors
        Callback(seed, lines) for what an ended training has written to standard error.
    """

    def __init__(
        self,
        commands: Mapping[int, list[str]],
        n_parallel: int,
        *,
        on_suspend: Callable[[], object],
        on_errors: Callable[[int, list[str]], object] | None = None,
    ) -> None:
        self._on_suspend, self._on_errors = on_suspend, on_errors
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
        """Start no more trainings, and interrupt those that run: each saves what it has finished."""
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
            self._on_suspend()
        finally:
            for process in self._running.values():
                process.send_signal(signal.SIGCONT)

    def news(self) -> Iterator[News | None]:
        """Yield their records until all have ended, and None whenever a moment has passed."""
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
        """Pass on the records of a process and its end: the work of a thread."""
        assert process.stdout is not None
        with errors, process.stdout:
            for line in process.stdout:
                with suppress(json.JSONDecodeError):  # half a line, of a process that was killed
                    self._news.put(News(seed, json.loads(line)))
            code = process.wait()
            errors.seek(0)
            lines = errors.read().decode("utf-8", "replace").splitlines()
        if self._on_errors is not None:
            self._on_errors(seed, lines)
        self._news.put(News(seed, Ended(code, lines[-1] if lines else "")))


_A_GROUP_OF_ITS_OWN: dict[str, Any] = {} if sys.platform == "win32" else {"process_group": 0}
"""So that a terminal's Ctrl-C and Ctrl-Z reach this process alone, which then interrupts each training once: a second
time would break into its saving. On Windows, Ctrl-C reaches all that share the console."""
