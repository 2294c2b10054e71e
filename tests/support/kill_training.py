"""Kill short trainings, check the files, resume them, and compare with an uninterrupted training.

python tests/support/kill_training.py 200
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import chdir
from pathlib import Path

import numpy as np

import mnist_bp
from mnist_bp.data import idx
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.synthetic import digits
from mnist_bp.network import load_network
from mnist_bp.storage import npz
from mnist_bp.training import checkpoint
from mnist_bp.training.run_paths import find_model

RECIPES = {
    "plain": ["--hidden", "8", "--epochs", "12"],
    "distorted": [
        "--hidden", "12,8", "--optimizer", "adam", "--augment", "elastic", "--schedule", "one-cycle",
        "--dropout", "0.2", "--average", "0.9", "--validation", "50", "--epochs", "6", "--max-norm", "1.5",
        "--adversarial", "0.1", "--weight-init", "glorot",
    ],
    "best": [
        "--hidden", "8", "--learning-rate", "6", "--batch-size", "20", "--average", "0.5", "--validation", "50",
        "--early-stop", "4", "--epochs", "14",
    ],
}  # fmt: skip
KILLS_PER_RUN = 3

DYING = """if True:
    import os, sys
    from mnist_bp.cli.main import main

    left = int(sys.argv.pop(1))

    def deadly(name):
        usual = getattr(os, name)

        def call(*args, **kwargs):
            global left
            left -= 1
            if left == 0:
                if name == "write":
                    usual(args[0], args[1][: len(args[1]) // 2])
                os._exit(9)
            return usual(*args, **kwargs)

        setattr(os, name, call)

    for name in ("write", "fsync", "ftruncate", "replace"):
        deadly(name)
    main()
"""
"""``mnist-bp`` that ends as if killed before the n-th thing that it does to a file, or with half of it written."""

OPERATIONS = 40
"""Approximate number of file operations of a complete run."""


def make_data(folder):
    """Write 300 digits to train on and 100 to test on, as four IDX files."""
    folder.mkdir()
    arrays = (*digits(300, seed=1, split="train"), *digits(100, seed=1, split="test"))
    for name, array in zip(FILE_NAMES, arrays, strict=True):
        with (folder / name).open("wb") as file:
            idx.write(file, array)


def start(command, arguments):
    """``mnist-bp train`` in a process of its own; it says when it begins to learn."""
    return subprocess.Popen(
        [sys.executable, *command, "train", *map(str, arguments), "--json", "--quiet"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(mnist_bp.__file__).parents[1])},
        text=True,
    )


def finish(arguments):
    """Train to the end; the seconds that it has learned for."""
    with start(["-m", "mnist_bp"], arguments) as process:
        process.stdout.readline()
        started = time.perf_counter()
        _, err = process.communicate()
    assert process.returncode == 0, err
    return time.perf_counter() - started


def kill_at_a_time(arguments, seconds):
    """Kill a training ``seconds`` after its first record. Return True if it was still running."""
    with start(["-m", "mnist_bp"], arguments) as process:
        process.stdout.readline()
        time.sleep(seconds)
        process.kill()
    return process.returncode != 0


def kill_at_an_operation(arguments, number):
    """Kill a training before it does this to a file; whether it came so far."""
    with start(["-c", DYING, str(number)], arguments) as process:
        _, err = process.communicate()
    assert process.returncode in {0, 9}, err
    return process.returncode != 0


def look(run):
    """Open all that a killed training has left in its folder: what is there is whole."""
    present = {path.name for path in run.glob("*") if path.suffix != ".part"}
    assert present <= {"config.toml", "history.jsonl", "checkpoint.npz", "model.npz", "run.json"}
    if "config.toml" in present:
        assert tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))["epochs"]
    if "history.jsonl" in present:
        lines = (run / "history.jsonl").read_bytes().splitlines(keepends=True)
        whole = [json.loads(line)["epoch"] for line in lines if line.endswith(b"\n")]
        assert whole == list(range(1, len(whole) + 1))
        assert len(lines) - len(whole) <= 1
    if "checkpoint.npz" in present:
        held = npz.read(run / "checkpoint.npz", "checkpoint", [checkpoint.FORMAT])
        assert len(whole) - held.meta["last"]["epoch"] in {0, 1}
    if "model.npz" in present:
        load_network(find_model(run))


def contents(run):
    """All that must be equal: every file, without the seconds that an epoch took."""
    history = [json.loads(line) for line in (run / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    with np.load(run / "checkpoint.npz") as held:
        state = {name: held[name].tobytes() for name in held.files if name != "meta"}
    return {
        "files": sorted(path.name for path in run.iterdir()),
        "history": [{**record, "seconds": 0} for record in history],
        "checkpoint.npz": state,
        **{name: (run / name).read_bytes() for name in ("config.toml", "model.npz")},
    }


def stop_in_time(arguments):
    """Train for one epoch, after which the time is over."""
    with start(["-m", "mnist_bp"], [*arguments, "--max-seconds", "1e-6"]) as process:
        _, err = process.communicate()
    assert process.returncode == 0, err


def kill_at_random(folder, recipe, kills, *, seed=0):
    """Kill trainings of this recipe in ``folder``, ``kills`` times in total. Return the number of runs.

    Each run is killed a few times and resumed each time, at last for one epoch. In the end, it equals the uninterrupted
    run.
    """
    rng = random.Random(seed)
    settings = [*RECIPES[recipe], "--data-dir", folder / "data"]
    whole, run = folder / "whole", folder / "run"
    seconds = finish([*settings, "--output", whole])

    def arguments():
        return ["--resume", run] if (run / "config.toml").exists() else [*settings, "--output", run]

    killed = runs = 0
    while killed < kills:
        for _ in range(min(KILLS_PER_RUN, kills - killed)):
            if rng.random() < 0.5:
                was_killed = kill_at_a_time(arguments(), rng.uniform(0, seconds))
            else:
                was_killed = kill_at_an_operation(arguments(), rng.randint(1, OPERATIONS))
            if not was_killed:  # it was done before
                break
            killed += 1
            look(run)
        stop_in_time(arguments())
        finish(arguments())
        assert contents(run) == contents(whole)
        shutil.rmtree(run)
        runs += 1
    shutil.rmtree(whole)
    return runs


def main():
    """Do it as often as the command line says."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as temporary, chdir(temporary):  # where runs/latest goes
        folder = Path(temporary)
        make_data(folder / "data")
        for recipe in RECIPES:
            runs = kill_at_random(folder, recipe, kills // len(RECIPES), seed=seed)
            print(f"{recipe}: {kills // len(RECIPES)} kills, {runs} runs, each in the end the one that nobody killed")  # noqa: T201 - a script


if __name__ == "__main__":
    main()
