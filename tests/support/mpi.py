"""Commands on several ranks, for tests that are skipped without mpi4py or mpiexec."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from _shared.mpi import AS_ROOT, OVERSUBSCRIBED, has_mpi
from _shared.mpi import mpiexec as command_of

__all__ = ["PATIENCE", "mpiexec", "needs_mpi", "run_on", "wait_until"]

PATIENCE = 120
"""Seconds until a command that should end, and does not, fails a test."""

needs_mpi = pytest.mark.skipif(not has_mpi(), reason="needs mpi4py and mpiexec")


def mpiexec(ranks: int, *command: object) -> "subprocess.Popen[str]":
    """Start this Python with arguments on several ranks."""
    return subprocess.Popen(
        command_of(ranks, sys.executable, *command),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **AS_ROOT, **OVERSUBSCRIBED},
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
