"""Whole processes, from their start: the command beside what merely importing its peers takes."""

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
from _bench.pool import environment
from _bench.results import Comparison
from mnist_bp.training.notation import format_hidden
from mnist_bp.training.threads import default_threads

RACES = (
    (0.90, Job((16, 16))),
    (0.95, Job((30,))),
    (0.97, Job((100,), activation="relu", cost="cross-entropy")),
    (0.98, Job((300, 100), activation="relu", cost="cross-entropy")),
)
"""Test accuracies to reach, each with a network that gets there."""

RACERS = ("torch", "jax", "sklearn")
MOST_EPOCHS = 40

Outcome = tuple[float, int]
"""Seconds, and epochs (0 where none are counted)."""
Runner = Callable[[int], Outcome]
"""Runs something; told the number of the round."""


def measure(systems: Sequence[str], rounds: int, source: Source) -> Iterator[Comparison]:
    """Compare command by command."""
    python = sys.executable
    help_page = {
        "mnist-bp --help": [python, "-m", "mnist_bp", "--help"],
        'python -c "import typer, rich.console"': [python, "-c", "import typer, rich.console"],
    }
    one_epoch = {"mnist-bp train --hidden 16,16 --epochs 1": train_command(Job((16, 16)), source, epochs=1)}
    if "torch" in systems:
        one_epoch['python -c "import torch"'] = [python, "-c", "import torch"]
    for title, commands in (("The help page", help_page), ("An epoch, all told", one_epoch)):
        yield take_turns(title, {}, {name: plain(command) for name, command in commands.items()}, range(rounds + 1))

    for target, job in RACES:
        title = f"{target:.0%} of the test set, {format_hidden(job.hidden)}, {job.activation}, {job.cost}"
        runners = {SYSTEMS["mnist-bp"].label: race(target, job, source)}
        for name in (name for name in RACERS if name in systems):
            runners[SYSTEMS[name].label] = race(target, job, source, name)
        yield take_turns(title, {"target": target, **asdict(job)}, runners, range(1, rounds + 1))


def take_turns(title: str, about: dict[str, Any], runners: dict[str, Runner], rounds: range) -> Comparison:
    """Run each once in every round; a round 0 fills the caches of files, and does not count."""
    outcomes: dict[str, list[Outcome]] = {name: [] for name in runners}
    for number in rounds:
        for name, run in runners.items():
            outcome = run(number)
            if number > 0:
                outcomes[name].append(outcome)
    seconds = {name: [seconds for seconds, _ in several] for name, several in outcomes.items()}
    epochs = {name: median(epochs for _, epochs in several) for name, several in outcomes.items()}
    remarks = {"epochs": {name: f"{needed:g}" for name, needed in epochs.items()}} if any(epochs.values()) else {}
    return Comparison(title, about, seconds, remarks)


def plain(command: list[str]) -> Runner:
    """Run a command to its end, in a folder of its own."""

    def run(_: int) -> Outcome:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            seconds = time.perf_counter() - start
        if done.returncode:
            fail(command, done.stderr)
        return seconds, 0

    return run


def race(target: float, job: Job, source: Source, name: str = "mnist-bp") -> Runner:
    """Run mnist-bp's command, or a peer's process, until it says that the target is reached; each round a new seed."""

    def run(number: int) -> Outcome:
        seeded = replace(job, seed=number)
        if name == "mnist-bp":
            command = [*train_command(seeded, source, epochs=MOST_EPOCHS), "--json"]
        else:
            described = json.dumps(asdict(seeded)), source.name, str(source.data_dir or ""), str(MOST_EPOCHS)
            command = [sys.executable, "-m", "_bench.racer", name, *described]
        return until(target, command, environment(default_threads(job.hidden)))

    return run


def until(target: float, command: list[str], variables: dict[str, str]) -> Outcome:
    """Time from the start of a process to its first record of an accuracy that is high enough; it is ended there."""
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
    """End everything: a command that fails has no time to measure."""
    sys.exit(f"{said}\nThis failed: {shlex.join(command)}")


def train_command(job: Job, source: Source, *, epochs: int) -> list[str]:
    """mnist-bp's own command for a job."""
    options = {
        "--hidden": format_hidden(job.hidden),
        "--activation": job.activation,
        "--cost": job.cost,
        "--seed": str(job.seed),
        "--epochs": str(epochs),
    }
    flat = [word for option in options.items() for word in option]
    return [sys.executable, "-m", "mnist_bp", "train", *flat, *source.options()]
