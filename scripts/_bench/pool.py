"""Worker processes, as seen by the process that sends them requests."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

from _bench.jobs import Job, Source
from _bench.peers import SYSTEMS

SCRIPTS = Path(__file__).resolve().parent.parent


def environment(threads: int) -> dict[str, str]:
    """Return the environment variables of a process that computes with ``threads`` threads and finds this package."""
    count = str(threads)
    variables = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"), count)
    if threads == 1:
        variables["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    variables["JAX_PLATFORMS"] = "cpu"
    variables["VECLIB_MAXIMUM_THREADS"] = count
    return with_bytecode() | variables | {"PYTHONPATH": str(SCRIPTS)}


def with_bytecode() -> dict[str, str]:
    """Return this environment for a process that keeps its compiled modules, as installed packages do."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def installed(names: Iterable[str]) -> list[str]:
    """Return the systems whose package is installed."""
    return [name for name in names if importlib.util.find_spec(SYSTEMS[name].package)]


class Worker:
    """A process that trains with one system: see ``worker``."""

    def __init__(self, name: str, threads: int, source: Source) -> None:
        self.name = name
        command = [sys.executable, "-m", "_bench.worker", name, source.name, str(source.data_dir or "")]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(threads),
            start_new_session=True,  # Ctrl-C ends only this process, which then ends the worker
        )

    def ask(self, do: str, **more: Any) -> Any:
        """Send a request, and return the answer."""
        assert self.process.stdin
        assert self.process.stdout
        try:
            print(json.dumps({"do": do, **more}), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            sys.exit(f"the process of {self.name} ended unexpectedly: its output is above")
        return json.loads(answer)

    def prepare(self, job: Job) -> None:
        """Prepare the system for a job."""
        self.ask("prepare", job=asdict(job))

    def epoch(self) -> tuple[float, float]:
        """Train an epoch. Return its seconds and the mean number of busy cores."""
        seconds, cores = self.ask("epoch")
        return seconds, cores

    def cost(self) -> float:
        """Return the current mean cost over the training examples."""
        return float(self.ask("cost"))

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


Team = dict[str, dict[int, Worker]]
"""Workers by the name of their system and their number of threads."""


@contextmanager
def workers(names: Iterable[str], threads: Collection[int], source: Source) -> Iterator[Team]:
    """Provide workers during the block, one for each system and number of threads."""
    with ExitStack() as stack:
        team: Team = {name: {} for name in names}
        for name, count in product(team, threads):
            team[name][count] = Worker(name, count, source)
            stack.callback(team[name][count].close)
        yield team
