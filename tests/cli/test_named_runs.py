"""A run by any of its names: its folder, a file in it, ``runs/latest``. For ``train``, see test_resume.py."""

from pathlib import Path

import pytest

from mnist_bp import network
from mnist_bp.errors import InputError

NAMES = ["run", "run/config.toml", "run/checkpoint.npz", "run/history.jsonl", "run/model.npz", "runs/latest"]


@pytest.mark.parametrize("command", ["evaluate", "explain", "gradcheck", "page", "predict digit.png --model"])
def test_every_command_takes_a_run_by_each_of_its_names(cli, train, monkeypatch, command):
    """It loads the model in the folder of the run."""
    train()
    loaded = []

    def load(path):
        loaded.append(path.resolve())
        raise InputError("loaded")

    monkeypatch.setattr(network, "load_network", load)
    assert [cli(*command.split(), name).err for name in NAMES] == ["mnist-bp: loaded\n"] * len(NAMES)
    assert set(loaded) == {Path("run/model.npz").resolve()}
