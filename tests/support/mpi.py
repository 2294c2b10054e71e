"""Commands on several ranks, for tests that are skipped without mpi4py or mpiexec."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

__all__ = ["PATIENCE", "mpiexec", "needs_mpi", "run_on", "wait_until"]

PATIENCE = 120
"""Seconds until a command that should end, and does not, fails a test."""

BESIDE_PYTHON = str(Path(sys.executable).parent)
MPIEXEC = shutil.which("mpiexec", path=os.pathsep.join([BESIDE_PYTHON, os.environ.get("PATH", "")]))
"""The one of the extra mpi-bundled, else that of the system."""

ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
}
"""Settings of Open MPI: as root, and more ranks than cores. Other MPIs need none."""

needs_mpi = pytest.mark.skipif(find_spec("mpi4py") is None or MPIEXEC is None, reason="needs mpi4py and mpiexec")


def mpiexec(ranks: int, *command: object) -> "subprocess.Popen[str]":
    """Start this Python with arguments on several ranks."""
    words = [MPIEXEC, "-n", ranks, sys.executable, *command]
    return subprocess.Popen(
        [str(word) for word in words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **ENVIRONMENT},
    )


def run_on(ranks: int, *command: object) -> tuple[int, str, str]:
    """Run this Python with arguments on several ranks. Return the exit code, standard output and standard error."""
    process = mpiexec(ranks, *command)
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, out, err


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until the condition is true. Fail the test if that takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
