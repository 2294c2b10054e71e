"""Fixtures of tests of the command line."""

import io
import json
import shutil
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import pytest

from mnist_bp.cli.main import main
from mnist_bp.training.run_folder import RunFolder


@pytest.fixture(scope="session")
def few(tmp_path_factory, write_few_digits):
    """A folder that holds ``few_digits``, for commands that only read it."""
    folder = tmp_path_factory.mktemp("data") / "few"
    write_few_digits(folder)
    return folder


@pytest.fixture(scope="session")
def run_once(tmp_path_factory):
    """Run ``mnist-bp`` in a new folder, once for all tests with these arguments. Return the folder, to be read only.

    Standard output is in its file ``said``.
    """

    @cache
    def run(*arguments):
        folder = tmp_path_factory.mktemp("once")
        said, errors = io.StringIO(), io.StringIO()
        with chdir(folder), redirect_stdout(said), redirect_stderr(errors), pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        assert not ended.value.code, errors.getvalue()
        (folder / "said").write_text(said.getvalue(), encoding="utf-8")
        return folder

    return run


@pytest.fixture
def trained(run_once):
    """Copy the run that ``mnist-bp train`` creates with these arguments to ``output``, and make it the latest run."""

    def copy(*arguments, output="run"):
        run = Path(shutil.copytree(run_once("train", *arguments, "--output", "run", "--quiet") / "run", output))
        RunFolder(run).make_latest()
        return run

    return copy


@pytest.fixture
def blank_figures(monkeypatch):
    """Write the files of figures without content, which takes long to draw."""
    figures = pytest.importorskip("matplotlib.figure")
    monkeypatch.setattr(figures.Figure, "savefig", lambda *_, **__: None)


@pytest.fixture(scope="session")
def stopped_seeds(run_once, few):
    """A folder with two seeds in ``all``, which --max-seconds stopped after one of six epochs. It is read only."""
    settings = ["--data-dir", few, "--limit", 100, "--hidden", 4, "--epochs", 6, "--seeds", 2]
    return run_once("train", *settings, "--max-seconds", 1e-6, "--output", "all", "--json")


@pytest.fixture
def series(trained, few):
    """Return the folder of two finished seeds, called ``series``."""
    return trained("--data-dir", few, "--limit", 100, "--hidden", 3, "--epochs", 1, "--seeds", 2, output="series")


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
