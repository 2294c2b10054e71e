"""Fixtures of tests of the command line."""

import json
import sys

import pytest


@pytest.fixture
def train(cli, idx_folder):
    """Run ``mnist-bp train`` for three epochs of five mini-batches, into ``run`` unless told otherwise."""

    def run(output="run"):
        return cli("train", "--data-dir", idx_folder, "--hidden", 8, "--epochs", 3, "--output", output, "--json")

    return run


@pytest.fixture
def finished_worker():
    """Command that stands for a worker of ``train --seeds`` whose training is finished."""
    health = {"saturated": [0.0], "dead": None, "gradient_norm": [1.0], "never_predicted": [], "at_chance": False}
    end = {
        "event": "end", "reason": "finished", "epochs": 1, "test_cost": 0.5, "test_accuracy": 0.5, "health": health,
        "seconds": 1.0, "run": "x", "fingerprint": "0",
    }  # fmt: skip
    return [sys.executable, "-I", "-S", "-c", f"print({json.dumps(end)!r})"]
