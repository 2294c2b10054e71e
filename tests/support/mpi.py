"""Commands on several ranks, for tests that are skipped without mpi4py or mpiexec."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from _shared.mpi import AS_ROOT, OVERSUBSCRIBED, has_mpi
from _shared.mpi import mpiexec as command_of

__all__ = ["PATIENCE", "Outcome", "commands_on", "mpiexec", "needs_mpi", "run_on", "wait_until"]

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


class Outcome(NamedTuple):
    """Exit code, standard output and standard error of a command on one rank."""

    code: int
    out: str
    err: str


def commands_on(folder: Path, commands: Sequence[tuple[Sequence[Path], Sequence[object]]]) -> list[list[Outcome]]:
    """Run commands of ``mnist-bp`` one after the other on the same ranks. Return the outcomes of each by rank.

    They are in one launch, because MPI takes a second to start. ``folder`` is empty. A command is a pair: the working
    folder of each rank, and the arguments.
    """
    texts = [(list(map(str, folders)), list(map(str, arguments))) for folders, arguments in commands]
    (folder / "commands.json").write_text(json.dumps(texts), encoding="utf-8")
    ranks = len(texts[0][0])
    code, out, err = run_on(ranks, Path(__file__).with_name("commands_on_ranks.py"), folder)
    assert (code, out) == (0, ""), err
    by_rank = [json.loads((folder / f"{rank}.json").read_text(encoding="utf-8")) for rank in range(ranks)]
    return [[Outcome(*each) for each in outcomes] for outcomes in zip(*by_rank, strict=True)]


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until the condition is true. Fail the test if that takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
