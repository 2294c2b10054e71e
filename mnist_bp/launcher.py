"""Detection of a launcher that started several processes of this program: mpiexec, mpirun or srun."""

import os
from typing import NamedTuple

__all__ = ["Launch", "launch", "without_launch"]

_VARIABLES = (
    ("mpiexec", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),  # Open MPI
    ("mpiexec", "PMI_RANK", "PMI_SIZE"),  # MPICH and Intel MPI
    ("srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),  # the second one is not set in the batch script itself
)
"""Environment variables with the rank and the number of processes, by launcher."""


def without_launch() -> dict[str, str]:
    """Return the environment for a process that this process starts: that one has no launcher."""
    own = {variable for _, *names in _VARIABLES for variable in names}
    return {name: value for name, value in os.environ.items() if name not in own}


class Launch(NamedTuple):
    """Launcher of this process ("" if there is none), its rank, from 0, and the number of processes."""

    launcher: str = ""
    rank: int = 0
    size: int = 1


def launch() -> Launch:
    """Return the launch of this process, according to the environment. Values that are no numbers are ignored."""
    for name, rank, size in _VARIABLES:
        values = os.environ.get(rank, ""), os.environ.get(size, "")
        if all(value.isascii() and value.isdigit() for value in values):
            return Launch(name, *map(int, values))
    return Launch()
