"""The command on several processes that mpiexec or srun has started: rank 0 runs it, the others wait for work."""

import os
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from mnist_bp.cli.signals import first_interrupt
from mnist_bp.cores import core_set, share_of_cores, usable_cores
from mnist_bp.errors import ExitCode, InputError, MnistBpError
from mnist_bp.launcher import launch
from mnist_bp.reports.console import print_error
from mnist_bp.shell import install_command

if TYPE_CHECKING:
    from mnist_bp.training.mpi_ranks import MpiRanks
    from mnist_bp.training.ranks import Ranks

__all__ = ["all_ranks", "run_on_ranks"]

LINGER = 0.5
"""Seconds that ranks above 0 wait before they return the code of an error. mpiexec ends all ranks, and drops what it
has not printed yet, as soon as the first one returns such a code: rank 0 has to be the first."""


def all_ranks() -> "Ranks":
    """Return the ranks of this command: those of the launcher, or the single process."""
    from mnist_bp.training.ranks import SINGLE

    return SINGLE if launch().size == 1 else _connected()


@cache
def _connected() -> "MpiRanks":
    """Connect the processes of the launcher by MPI.

    Each gets an equal part of the machine's cores, as the default of ``--threads``. Its number is in OMP_NUM_THREADS,
    as with PyTorch's torchrun.
    """
    launcher, _, size = launch()
    try:
        from mnist_bp.training.mpi_ranks import MpiRanks
    except (ImportError, RuntimeError) as error:
        if isinstance(error, ImportError) and error.name not in {"mpi4py", "mpi4py.MPI"}:
            raise
        lacking = "an MPI library" if isinstance(error, RuntimeError) else "mpi4py"
        extra = "mpi-bundled" if isinstance(error, RuntimeError) else "mpi"
        raise InputError(
            f"{launcher} started {size} processes, which need {lacking}: {install_command(extra)}"
        ) from error
    ranks = MpiRanks()
    if ranks.size != size:
        hint = "srun --mpi=pmix" if launcher == "srun" else "the mpiexec of the MPI that mpi4py uses"
        raise InputError(f"{launcher} started {size} processes, but MPI connects {ranks.size} of them: try {hint}")
    os.environ["OMP_NUM_THREADS"] = str(share_of_cores(ranks.on_this_machine(core_set())))
    return ranks


def run_on_ranks(
    command: Callable[[], int], understood: Callable[[BaseException], MnistBpError], *, debug: bool = False
) -> int:
    """Run a command, which returns its exit code and raises no ``MnistBpError``. All ranks return the code of rank 0.

    An error of a rank above 0, which rank 0 cannot know, ends all of them. ``understood`` turns it into a message.
    """
    start = launch()
    if start.size == 1:
        return command()
    try:
        ranks = _connected()
    except MnistBpError as error:
        if start.rank == 0:
            print_error(error, debug=debug)
            return int(error.exit_code)
        return _linger(int(error.exit_code))
    if ranks.rank:
        return _linger(_follow(ranks, understood, debug=debug))
    code: int = ExitCode.INTERNAL
    try:
        code = command()
    finally:
        sys.stdout.flush()
        ranks.close(code)
    return code


def _linger(code: int) -> int:
    """Return an exit code, after a while if it is that of an error."""
    if code:
        time.sleep(LINGER)
    return code


def _follow(ranks: "MpiRanks", understood: Callable[[BaseException], MnistBpError], *, debug: bool) -> int:
    """Work for rank 0, and return its exit code. The first interrupt stops all ranks after their next step."""
    from threadpoolctl import threadpool_limits

    from mnist_bp.training.mpi_ranks import RankError

    try:
        with first_interrupt(ranks.interrupt), threadpool_limits(usable_cores()):
            return ranks.serve()
    except BaseException as error:  # noqa: BLE001 - the other ranks must not wait for this one
        known = error if isinstance(error, MnistBpError) else understood(error)
        named = RankError(f"{ranks.name}: {known}", known.exit_code)
        named.__cause__ = error
        print_error(named, debug=debug)
        ranks.fail(known.exit_code)
