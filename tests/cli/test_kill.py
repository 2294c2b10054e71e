"""Killed trainings: their files are intact, and they resume bit for bit."""

import json
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from kill_training import kill_at_an_operation, kill_at_random, look, make_data, start

from mnist_bp.errors import InputError
from mnist_bp.training.run_folder import RunFolder

PATIENCE = 60
"""Seconds until a process that should end, and does not, fails a test."""


@pytest.fixture
def place(tmp_path):
    """A folder with a small dataset in ``data``."""
    make_data(tmp_path / "data")
    return tmp_path


@pytest.mark.parametrize("recipe", ["distorted", "best"])
def test_killed_at_random_it_resumes_to_the_same_end(place, recipe):
    """The files can be read each time, and the end is equal byte for byte. The script does this hundreds of times."""
    assert kill_at_random(place, recipe, 2, seed=1) >= 1


def test_killed_before_its_first_epoch_it_restarts_from_the_start(place, cli):
    """The config is there and nothing else: ``--resume`` trains it all."""
    settings = ["--data-dir", place / "data", "--hidden", "4", "--epochs", "2", "--output", "run"]
    assert kill_at_an_operation(settings, 5)
    look(Path("run"))
    whole = [path.name for path in Path("run").glob("*") if path.suffix != ".part"]
    assert sorted(whole) == ["config.toml", "history.jsonl"]
    assert cli("train", "--resume", "run").code == 0
    assert len(Path("run/history.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def start_two_seeds(place):
    """``train --seeds 2`` in a process, both at a time, when each has had an epoch."""
    program = (
        "from mnist_bp.training import threads; threads.usable_cores = lambda: 2; "
        "from mnist_bp.cli.main import main; main()"
    )
    settings = ["--seeds", "2", "--data-dir", place / "data", "--hidden", "4", "--epochs", 10**6, "--output", "all"]
    process = start(["-c", program], settings)
    begun = set()
    while len(begun) < 2:
        record = json.loads(process.stdout.readline())
        begun |= {record["seed"]} if record["event"] == "epoch" else set()
    return process


def assert_nobody_writes(folder):
    """Within some time: no process has the run's history open any more, not even one without parents."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(InputError):
            run = RunFolder.reopen(folder)
            run.claim()
            run.close()
            return
        time.sleep(0.05)
    pytest.fail(f"somebody still writes into {folder}")


def test_no_seed_outlives_a_command_that_is_killed(place):
    """Without a reader, each ends at its next record. Its files are intact, and it can be resumed."""
    with start_two_seeds(place) as process:
        process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
    for seed in (0, 1):
        assert_nobody_writes(Path(f"all/seed-{seed}"))
        look(Path(f"all/seed-{seed}"))
