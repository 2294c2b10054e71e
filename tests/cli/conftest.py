"""Fixtures of tests of the command line."""

import pytest


@pytest.fixture
def train(cli, idx_folder):
    """Run ``mnist-bp train`` for three epochs of five mini-batches, into ``run`` unless told otherwise."""

    def run(output="run"):
        return cli("train", "--data-dir", idx_folder, "--hidden", 8, "--epochs", 3, "--output", output, "--json")

    return run
