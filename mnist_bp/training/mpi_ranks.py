"""Ranks of MPI (mpi4py). Only a process that was started by mpiexec or srun imports this module."""

import hashlib
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, NoReturn, TypeVar

import mpi4py
import numpy as np
from numpy.typing import DTypeLike

from mnist_bp.core.activations import Array
from mnist_bp.errors import ExitCode, MnistBpError
from mnist_bp.training.ranks import Ranks, share_of

mpi4py.rc.thread_level = "funneled"  # only the main thread calls MPI
from mpi4py import MPI  # noqa: E402

__all__ = ["MpiRanks", "RankError", "RanksDiffer"]

T = TypeVar("T")

MOMENT = 0.005
"""Seconds between two looks for a message. MPI itself would wait with the processor at full load."""


class RanksDiffer(MnistBpError):
    """Parameters that should be equal on all ranks and are not."""

    exit_code = ExitCode.INTERNAL


class RankError(MnistBpError):
    """Error of one rank, with the name of the rank in its text."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class _Failure(NamedTuple):
    """Error of a rank as data."""

    text: str
    exit_code: int


class MpiRanks(Ranks):
    """Processes of an MPI communicator.

    ``average_`` is one Allreduce. Behind the last number of its vector, one more number carries the request of a rank
    to stop, so that all ranks stop at the same step. Rank 0 gives work to the others by messages; see ``serve``.

    An error on one rank alone would leave the others waiting for it: ``fail`` ends them all.
    """

    def __init__(self, comm: Any = None) -> None:
        self._comm = MPI.COMM_WORLD if comm is None else comm
        self.rank, self.size = self._comm.rank, self._comm.size
        self._is_at_work = False
        self._request: BaseException | None = None

    @property
    def name(self) -> str:
        """Name of this rank in messages."""
        return f"rank {self.rank} on {platform.node()}"

    def on_this_machine(self, value: T) -> list[T]:
        """Return the values of the ranks on the machine of this rank."""
        return [each for node, each in self.gather((platform.node(), value)) if node == platform.node()]

    # --- in step ----------------------------------------------------------------------------------------------------

    def vector(self, length: int, dtype: DTypeLike) -> Array:
        """Return an uninitialized vector for ``average_``: a view of one that has one more number."""
        return np.empty(length + 1, dtype)[:length]

    def average_(self, vector: Array, weight: float) -> None:
        """Replace a ``vector`` of each rank by Σ weight × vector over the ranks, in place."""
        if weight:
            vector *= weight
        else:
            vector.fill(0)
        whole = vector.base
        assert whole is not None
        assert whole.shape == (len(vector) + 1,)
        whole[-1] = self._request is not None
        self._sum(whole)
        if whole[-1]:
            self.end()
            request, self._request = self._request, None
            raise request or KeyboardInterrupt

    def _sum(self, whole: Array) -> None:
        self._comm.Allreduce(MPI.IN_PLACE, whole)

    def call_back(self, function: Callable[[], object]) -> None:
        """Call a function. An exception that it raises is raised by the next ``average_``."""
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - raised when the other ranks know
            self._request = self._request or error

    def interrupt(self) -> None:
        """Request all ranks to stop. A signal handler may call it."""
        self._request = self._request or KeyboardInterrupt()

    def gather(self, value: T) -> list[T]:
        """Return the values of all ranks, on each rank."""
        return self._comm.allgather(value)

    def broadcast(self, value: T) -> T:
        """Return the value of rank 0."""
        return self._comm.bcast(value)

    def require_equal(self, arrays: Mapping[str, Array], what: str) -> None:
        """Raise RanksDiffer, on all ranks, if the SHA-256 digests of these arrays differ."""
        digest = hashlib.sha256()
        for array in arrays.values():
            digest.update(np.ascontiguousarray(array).data)
        found = self.gather((self.name, digest.digest()))
        if others := [name for name, each in found if each != found[0][1]]:
            self.end()
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            raise RanksDiffer(
                f"{what} of {others[0]}{more} differ from those of rank 0: do all machines have the same processor, "
                "numpy and MPI? Resume from the last checkpoint"
            )

    def proceed(self, is_wanted: bool) -> bool:
        """Return the decision of rank 0. False ends the work on all ranks."""
        decision: bool = self.broadcast(is_wanted)
        if not decision:
            self.end()
        return decision

    def end(self) -> None:
        """Note that the work ends here on all ranks."""
        self._is_at_work = False

    # --- work of rank 0 for the others ------------------------------------------------------------------------------

    def start(self, function: Callable[..., object], *arguments: Any) -> None:
        """Let all other ranks start ``function(ranks, *arguments)``."""
        self._is_at_work = True
        self._send((function, arguments))

    def call(self, function: Callable[..., T], *arguments: Any) -> list[T]:
        """Return the results of ``function(*arguments)`` on all other ranks, by rank. Raise their first error."""
        self.start(_answer, function, arguments)
        outcomes = self.gather(None)[1:]
        self.end()
        for outcome in outcomes:
            if isinstance(outcome, _Failure):
                raise RankError(*outcome)
        return outcomes  # type: ignore[return-value]  # the answers of the other ranks

    def split(self, function: Callable[..., Array], *arrays: Array) -> Array:
        """Return ``function(*arrays)``. Each rank gets its part of the rows of ``arrays`` and computes those."""
        self.start(MpiRanks._compute_share, function)
        parts = [[array[share_of(rank, self.size, len(array))] for array in arrays] for rank in range(self.size)]
        results = self._compute_share(function, parts)
        self.end()
        return np.concatenate(results)

    def _compute_share(self, function: Callable[..., Array], parts: list[list[Array]] | None = None) -> list[Array]:
        """Compute the part that rank 0 sends. Return the results of all ranks on rank 0."""
        result = function(*self._comm.scatter(parts))
        return self._comm.gather(result) or []

    def _send(self, message: object) -> None:
        for rank in range(1, self.size):
            self.tell(message, rank)

    def tell(self, message: object, rank: int = 0) -> None:
        """Send a message to one rank."""
        self._comm.send(message, rank)

    def messages(self) -> Iterator[Any]:
        """Yield the messages to this rank that have arrived."""
        while self._comm.iprobe():
            yield self._comm.recv()

    @property
    def is_interrupted(self) -> bool:
        """True if a signal has requested this rank to stop."""
        return self._request is not None

    def serve(self) -> int:
        """Do the work that rank 0 gives, until it sends its exit code. Return that.

        Raises
        ------
        Exception
            Error of this rank alone, for ``fail``.
        """
        while not isinstance(message := self.wait(), int):
            function, arguments = message
            self._is_at_work = True
            try:
                function(self, *arguments)
            except BaseException:
                if self._is_at_work:
                    raise
            self._is_at_work = False
        MPI.Finalize()
        return message

    def wait(self) -> Any:
        """Wait for a message to this rank without occupying the processor, and return it."""
        while not self._comm.iprobe():
            time.sleep(MOMENT)
        return self._comm.recv()

    def close(self, code: int) -> None:
        """Send the exit code of rank 0 to the others, or end them if they are waiting for a step of rank 0."""
        if self._is_at_work:
            self.fail(code)
        self._send(int(code))
        MPI.Finalize()

    def fail(self, code: int) -> NoReturn:
        """End all ranks at once, with an exit code."""
        self._comm.Abort(int(code))
        os._exit(code)  # an MPI may return


def _answer(ranks: MpiRanks, function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    """Call a function, and send its result or its error to rank 0."""
    outcome: object
    try:
        outcome = function(*arguments)
    except MnistBpError as error:
        outcome = _Failure(f"{ranks.name}: {error}", int(error.exit_code))
    ranks.gather(outcome)
