"""Trainings of ``train --seeds`` on the ranks of MPI: each rank trains whole networks, one after the other."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mnist_bp.cli.request import Request
from mnist_bp.errors import ExitCode, InternalError, MnistBpError, OutputClosed
from mnist_bp.reports.console import Console
from mnist_bp.training.follower import load_as_rank_0
from mnist_bp.training.mpi_ranks import MpiRanks
from mnist_bp.training.ranks import SINGLE
from mnist_bp.training.run_folder import RunFolder
from mnist_bp.training.seeds import SeedRun, TimeLimit
from mnist_bp.training.settings import Settings
from mnist_bp.training.worker_pool import MOMENT, Ended, News

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset

__all__ = ["RankPool"]


class _Records(Console):
    """Console that passes on the records of a training and prints nothing."""

    def __init__(self, seed: int, news: "SimpleQueue[News]", stop: threading.Event) -> None:
        super().__init__(json=True, quiet=True)
        self._seed, self._news, self._stop = seed, news, stop

    def emit_json(self, record: Mapping[str, Any]) -> None:
        """Pass on a record."""
        self._news.put(News(self._seed, dict(record)))

    def print_result(self, text: str, *, style: str = "", wrap: bool = True) -> None:
        """Print nothing."""

    def require_reader(self, verdict: MnistBpError | None = None) -> None:  # noqa: ARG002 - the interface
        """Raise KeyboardInterrupt if the training has to stop."""
        if self._stop.is_set():
            raise KeyboardInterrupt


class _Trainings:
    """Trainings of one rank, in a thread, so that the main thread can pass on their records by MPI."""

    def __init__(self, settings: Settings, runs: list[SeedRun], data: "Dataset", max_seconds: float | None) -> None:
        self.news = SimpleQueue[News]()
        self.stop = threading.Event()
        self._settings, self._runs, self._data = settings, runs, data
        self._limit = None if max_seconds is None else TimeLimit(max_seconds, len(runs), 1)
        self._thread = threading.Thread(target=self._train_all, name="trainings", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """True if there may be more news."""
        return self._thread.is_alive() or not self.news.empty()

    def _train_all(self) -> None:
        for waiting, run in zip(reversed(range(len(self._runs))), self._runs, strict=True):
            if self.stop.is_set():
                return
            try:
                self._train(run, waiting)
                ended = Ended(ExitCode.DONE, "")
            except KeyboardInterrupt:
                ended = Ended(ExitCode.INTERRUPTED, "interrupted")
            except MnistBpError as error:
                ended = Ended(int(error.exit_code), str(error))
            except Exception as error:  # noqa: BLE001 - any failure is reported
                ended = Ended(ExitCode.INTERNAL, str(InternalError(error)))
            self.news.put(News(run.seed, ended))

    def _train(self, run: SeedRun, waiting: int) -> None:
        from mnist_bp.cli.training import train_one

        is_begun = RunFolder(run.folder).config.is_file()
        request = Request(
            replace(self._settings, seed=run.seed),
            self._data,
            SINGLE,
            output=None if is_begun else run.folder,
            resume=run.folder if is_begun else None,
            max_seconds=None if self._limit is None else self._limit.part(waiting),
        )
        train_one(request, _Records(run.seed, self.news, self.stop))


class RankPool(AbstractContextManager["RankPool"]):
    """Pool of trainings on all ranks, with the interface of ``WorkerPool``. Rank r trains every size-th seed from r.

    Parameters
    ----------
    ranks
        Ranks, which have loaded the data.
    settings, runs, data
        Settings, all trainings, and their dataset.
    max_seconds
        Limit of the wall time of all trainings in seconds; None: no limit.
    """

    def __init__(
        self, ranks: MpiRanks, settings: Settings, runs: list[SeedRun], data: "Dataset", max_seconds: float | None
    ) -> None:
        self._ranks = ranks
        self.stopped_by: type[KeyboardInterrupt | OutputClosed] | None = None
        self._untold = {*range(1, ranks.size)}
        facts = {"is_fallback": data.is_fallback, "problems": data.problems}
        ranks.start(_train_as_told, settings, runs, facts, max_seconds)
        self._own = _Trainings(settings, runs[:: ranks.size], data, max_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._own.stop.set()

    def stop(self, reason: type[KeyboardInterrupt | OutputClosed] = KeyboardInterrupt) -> None:
        """Start no more trainings, and interrupt the running ones. Each saves its finished epochs."""
        self.stopped_by = self.stopped_by or reason

    def suspend(self) -> None:
        """Do nothing: the launcher suspends the ranks."""

    def news(self) -> Iterator[News | None]:
        """Yield the records of the trainings until all have ended, and None after each ``MOMENT`` without one."""
        running = {*self._untold}
        while running or self._own.is_running:
            if self.stopped_by:
                self._own.stop.set()
                self._tell_to_end({*self._untold})
            for message in self._ranks.messages():
                if isinstance(message, News):
                    yield message
                else:  # the rank of one that has done all its work
                    running.remove(message)
                    self._tell_to_end({message} & self._untold)
            try:
                yield self._own.news.get(timeout=MOMENT)
            except Empty:
                yield None
        self._ranks.end()

    def _tell_to_end(self, ranks: set[int]) -> None:
        """Tell each rank once: to stop, or that it has nothing more to do."""
        for rank in ranks:
            self._ranks.tell("end", rank)
        self._untold -= ranks


def _train_as_told(
    ranks: MpiRanks, settings: Settings, runs: list[SeedRun], facts: dict[str, Any], max_seconds: float | None
) -> None:
    """Train the networks of a rank above 0, and send their records to rank 0, then the rank."""
    from threadpoolctl import threadpool_limits

    data = replace(load_as_rank_0(settings), **facts)
    own = _Trainings(settings, runs[ranks.rank :: ranks.size], data, max_seconds)
    is_told = False
    with threadpool_limits(settings.threads):
        while own.is_running:
            is_told = is_told or any(ranks.messages())
            if is_told or ranks.is_interrupted:
                own.stop.set()
            try:
                ranks.tell(own.news.get(timeout=MOMENT))
            except Empty:
                continue
    ranks.tell(ranks.rank)
    if not is_told:
        ranks.wait()
