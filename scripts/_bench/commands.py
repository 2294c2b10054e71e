"""Measurements of whole processes: commands of mnist-bp compared with the import of other libraries."""

import json
import math
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from statistics import median
from typing import Any, NoReturn

from _bench.jobs import Job, Source
from _bench.peers import SYSTEMS
from _bench.pool import environment, with_bytecode
from _bench.results import Comparison, best_threads
from mnist_bp.cores import usable_cores
from mnist_bp.training.notation import format_hidden
from mnist_bp.training.threads import default_threads

RACES = (
    (0.90, Job((16, 16))),
    (0.95, Job((30,))),
    (0.97, Job((100,), activation="relu", cost="cross-entropy")),
    (0.98, Job((300, 100), activation="relu", cost="cross-entropy")),
)
"""Test accuracies to reach, each with a job that reaches it."""

RACERS = ("torch", "jax", "sklearn")
MOST_EPOCHS = 40

Outcome = tuple[float, int]
"""Seconds and number of epochs (0 if not counted)."""
Runner = Callable[[int], Outcome]
"""Function that runs something in the round with this number."""


def measure(systems: Sequence[str], rounds: int, source: Source) -> Iterator[Comparison]:
    """Yield a comparison for each group of commands."""
    python = sys.executable
    help_page = {
        "mnist-bp --help": [python, "-m", "mnist_bp", "--help"],
        "mnist-bp train --help": [python, "-m", "mnist_bp", "train", "--help"],
        'python -c "import typer, rich.console"': [python, "-c", "import typer, rich.console"],
    }
    one_epoch = {"mnist-bp train --hidden 16,16 --epochs 1": train_command(Job((16, 16)), source, epochs=1)}
    if "torch" in systems:
        one_epoch['python -c "import torch"'] = [python, "-c", "import torch"]
    for title, commands in (("The help page", help_page), ("An epoch, all told", one_epoch)):
        runners = {name: {1: plain(command)} for name, command in commands.items()}
        yield take_turns(title, {}, runners, range(rounds + 1))

    for target, job in RACES:
        title = f"{target:.0%} of the test set, {format_hidden(job.hidden)}, {job.activation}, {job.cost}"
        default, counts = default_threads(job.hidden), sorted({1, usable_cores()})
        runners = {SYSTEMS["mnist-bp"].label: {default: race(target, job, source, default)}}
        for name in (name for name in RACERS if name in systems):
            runners[SYSTEMS[name].label] = {count: race(target, job, source, count, name) for count in counts}
        yield take_turns(title, {"target": target, **asdict(job)}, runners, range(1, rounds + 1))


def take_turns(title: str, about: dict[str, Any], runners: dict[str, dict[int, Runner]], rounds: range) -> Comparison:
    """Run each command once in every round, with each number of threads, and return the best number of each.

    Round 0 fills the file caches and is not counted.
    """
    seconds = {name: {threads: list[float]() for threads in several} for name, several in runners.items()}
    epochs = {name: {threads: list[int]() for threads in several} for name, several in runners.items()}
    for number in rounds:
        for name, several in runners.items():
            for threads, run in several.items():
                elapsed, needed = run(number)
                if number > 0:
                    seconds[name][threads].append(elapsed)
                    epochs[name][threads].append(needed)
    best = {name: best_threads(several) for name, several in seconds.items()}
    needed_epochs = {name: median(epochs[name][threads]) for name, threads in best.items()}
    remarks = {}
    if any(needed_epochs.values()):
        remarks["epochs"] = {name: f"{needed:g}" for name, needed in needed_epochs.items()}
        remarks["threads"] = {name: f"{threads}" for name, threads in best.items()}
    return Comparison(title, about, {name: seconds[name][threads] for name, threads in best.items()}, remarks)


def plain(command: list[str]) -> Runner:
    """Return a runner of a command in an empty folder."""

    def run(_: int) -> Outcome:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            done = subprocess.run(command, cwd=folder, env=with_bytecode(), capture_output=True, text=True, check=False)
            seconds = time.perf_counter() - start
        if done.returncode:
            fail(command, done.stderr)
        return seconds, 0

    return run


def race(target: float, job: Job, source: Source, threads: int, name: str = "mnist-bp") -> Runner:
    """Return a runner of mnist-bp, or of a peer, until the target accuracy is reached. Each round has another seed."""

    def run(number: int) -> Outcome:
        seeded = replace(job, seed=number)
        if name == "mnist-bp":
            command = [*train_command(seeded, source, epochs=MOST_EPOCHS), "--json"]
        else:
            described = json.dumps(asdict(seeded)), source.name, str(source.data_dir or ""), str(MOST_EPOCHS)
            command = [sys.executable, "-m", "_bench.racer", name, *described]
        return until(target, command, environment(threads))

    return run


def until(target: float, command: list[str], variables: dict[str, str]) -> Outcome:
    """Measure the time from the start of a process to its first record with the target accuracy, and kill it then."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as said:
        start = time.perf_counter()
        with subprocess.Popen(
            command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=said, text=True
        ) as process:
            assert process.stdout
            for record in map(json.loads, process.stdout):
                if record["event"] == "epoch" and record["test_accuracy"] >= target:
                    seconds = time.perf_counter() - start
                    process.kill()
                    return seconds, record["epoch"]
        if process.returncode:
            said.seek(0)
            fail(command, said.read())
    return math.inf, MOST_EPOCHS


def fail(command: list[str], said: str) -> NoReturn:
    """Exit with the error of a command that failed."""
    sys.exit(f"{said}\nThis failed: {shlex.join(command)}")


def train_command(job: Job, source: Source, *, epochs: int) -> list[str]:
    """Return the command of mnist-bp for a job."""
    options = {
        "--hidden": format_hidden(job.hidden),
        "--activation": job.activation,
        "--cost": job.cost,
        "--seed": str(job.seed),
        "--epochs": str(epochs),
    }
    flat = [word for option in options.items() for word in option]
    return [sys.executable, "-m", "mnist_bp", "train", *flat, *source.options()]
