"""The program mpiexec, and the environment in which it starts ranks on this machine."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

MPIEXEC = shutil.which("mpiexec", path=_PATH)
"""The one beside Python, which the extra mpi-bundled installs, else that of the system; None if there is none."""

AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
"""Permission for Open MPI to run as root, as in a container."""

OVERSUBSCRIBED = {
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
}
"""Settings of Open MPI for more ranks than cores. Other MPIs need none."""


def has_mpi() -> bool:
    """Return True if mpi4py and mpiexec are installed."""
    return MPIEXEC is not None and find_spec("mpi4py") is not None


def mpiexec(ranks: int, *command: object) -> list[str]:
    """Return the command that starts ``command`` on several ranks."""
    return [str(word) for word in (MPIEXEC, "-n", ranks, *command)]
