"""Runs that version 0.1.0 (commit d9461f2) wrote still evaluate and resume, to the figures that it gave itself.

``plain``, ``regularized`` (stopped after 4 of 8 epochs) and ``seeds`` were trained on ``old_runs_dataset``,
``mnist`` on the first 300 of MNIST with no dataset in its config; ``expected.json`` holds what 0.1.0 printed of them.
"""

import json
import shutil
from pathlib import Path

import pytest
from old_runs_dataset import write_dataset

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
MORE_EPOCHS = {"plain": ["--epochs", 11], "regularized": [], "mnist": ["--epochs", 5]}
MNIST = HERE.parents[1].parent / "shared/data/mnist"

needs_mnist = pytest.mark.skipif(not MNIST.is_dir(), reason="needs real MNIST beside the checkout")
RUNS = ("plain", "regularized", pytest.param("mnist", marks=needs_mnist))


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The dataset of all runs but ``mnist``."""
    return write_dataset(tmp_path_factory.mktemp("old") / "own")


@pytest.fixture
def old_run(tmp_path):
    """Copy an old run, so that it can be written to."""
    return lambda name: Path(shutil.copytree(HERE / name, tmp_path / name))


def data_folder(name, own):
    """Return where the data of a run lie today."""
    return MNIST if name == "mnist" else own


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_evaluates_to_the_figures_it_had(cli, old_run, own, name):
    """Cost and accuracy of the saved model are what 0.1.0 printed."""
    result = cli("evaluate", old_run(name), "--data-dir", data_folder(name, own), "--json")

    assert result.code == 0, result.err
    expected = EXPECTED[name]["evaluate"]
    assert result.records[0]["accuracy"] == pytest.approx(expected["accuracy"], abs=2e-4)
    assert result.records[0]["cost"] == pytest.approx(expected["cost"], rel=1e-5)


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_resumes_to_what_the_old_version_gave(cli, old_run, own, name):
    """Its data have moved; the epochs that follow are those that 0.1.0 would have trained."""
    data = data_folder(name, own)

    result = cli("train", "--resume", old_run(name), "--data-dir", data, *MORE_EPOCHS[name], "--json")

    assert result.code == 0, result.err
    end, expected = result.records[-1], EXPECTED[name]["resume"]
    assert (end["epochs"], end["reason"]) == (expected["epochs"], expected["reason"])
    assert end["test_cost"] == pytest.approx(expected["test_cost"], rel=1e-3)
    assert end["test_accuracy"] == pytest.approx(expected["test_accuracy"], abs=0.01)


def test_old_runs_of_several_seeds_resume_together(cli, old_run, own):
    """Each of the two networks gets its two further epochs."""
    result = cli("train", "--resume", old_run("seeds"), "--data-dir", own, "--epochs", 6, "--json")

    assert result.code == 0, result.err
    expected = EXPECTED["seeds"]["resume"]["test_accuracy"]
    assert result.records[-1]["test_accuracy"]["each"] == pytest.approx(expected, abs=0.02)
