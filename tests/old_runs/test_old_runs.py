"""Runs of version 0.1.0 (commit d9461f2): same figures; resumed to what it would have given, or refused.

Commit d9461f2 trained the runs on ``old_runs_dataset``, and ``mnist`` on the first 300 examples of MNIST with no
dataset in its config. ``regularized`` was stopped after 4 of 8 epochs, ``adam`` and ``one-cycle`` after 2 of 4; the
others were finished. ``expected.json`` holds what d9461f2 printed about them, and about uninterrupted trainings of 4
epochs, whose parameters (W1, b1, W2, b2, flat) are in ``expected.npz``.
"""

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from old_runs_dataset import write_dataset

from mnist_bp.network import load_network

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
MNIST = HERE.parents[1].parent / "shared/data/mnist"

needs_mnist = pytest.mark.skipif(not MNIST.is_dir(), reason="needs real MNIST beside the checkout")
RUNS = [
    pytest.param(name, marks=[needs_mnist] * (name == "mnist"))
    for name, expected in EXPECTED.items()
    if "evaluate" in expected
]

CHANGED = {
    "plain": "sigmoids",
    "outputs": "sigmoids",
    "dropout": "dropout",
    "input-dropout": "dropout",
    "augment": "augmentation",
    "one-cycle": "the one-cycle schedule",
    "average": "averages",
    "regularized": "dropout, averages, augmentation, the one-cycle schedule and Adam",
    "seeds": "sigmoids",
    "adam": "Adam",
}
"""Parts of the calculation that differ in the current version, by run."""

SAME = ["tanh", "leaky-relu"]
"""Runs whose parameters do not depend on any of that: all cross-entropy, in float64."""

ROUNDING = 1e-10
"""Relative tolerance of float64 results for other BLAS and numpy kernels, far above the measured 5e-16."""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The dataset of all runs but ``mnist``."""
    return write_dataset(tmp_path_factory.mktemp("old") / "own")


@pytest.fixture
def old_run():
    """Copy an old run into the working folder, so that it can be written to."""
    return lambda name: Path(shutil.copytree(HERE / name, name))


def files(folder):
    """Return the content of every file in a folder."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def flat(model):
    """Return the parameters of a model file, as in ``expected.npz``."""
    return np.concatenate([array.ravel() for array in load_network(model)[0].named_arrays().values()])


def assert_parameters(model, name):
    """They are those of the uninterrupted training, except for rounding."""
    with np.load(HERE / "expected.npz") as file:
        np.testing.assert_allclose(flat(model), file[name], rtol=ROUNDING, atol=ROUNDING)


def assert_same_numbers(found, expected, place=""):
    """Compare every number in JSON values; later versions may add keys and change words."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert_same_numbers(found[key], value, f"{place}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), place
        for each, value in zip(found, expected, strict=True):
            assert_same_numbers(each, value, f"{place}[]")
    elif isinstance(expected, int | float):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12), place


# --- figures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_evaluates_to_the_figures_it_had(cli, old_run, own, name):
    """Cost and accuracy of the saved model are what 0.1.0 printed."""
    result = cli("evaluate", old_run(name), "--data-dir", MNIST if name == "mnist" else own, "--json")

    assert result.code == 0, result.err
    expected = EXPECTED[name]["evaluate"]
    assert result.records[0]["accuracy"] == pytest.approx(expected["accuracy"], abs=2e-4)
    assert result.records[0]["cost"] == pytest.approx(expected["cost"], rel=1e-6)


@pytest.mark.parametrize("name", ["plain", "regularized", "tanh"])
def test_an_old_run_is_explained_by_the_numbers_it_had(cli, old_run, own, name):
    """Example 3: outputs, factors, paths, nudges and the step."""
    result = cli("explain", old_run(name), "--data-dir", own, "--example", 3, "--json")

    assert result.code == 0, result.err
    assert_same_numbers(result.records[0], EXPECTED[name]["explain"])


def grey_levels(images):
    """Return images of the page, which have a zero and a length for each run of zeros, without that, in base64."""
    runs = re.compile(rb"\0(.)", re.DOTALL)
    return base64.b64encode(runs.sub(lambda run: bytes(run[1][0]), base64.b64decode(images))).decode()


@pytest.mark.parametrize("name", ["plain", "regularized", "tanh"])
def test_the_page_of_an_old_run_computes_with_the_numbers_it_had(cli, old_run, own, name):
    """Parameters, learning rate, grey levels, labels and learning curves are equal byte for byte."""
    result = cli("page", old_run(name), "--data-dir", own)

    assert result.code == 0, result.err
    text = Path(name, "page.html").read_text(encoding="utf-8").partition('id="content">')[2].partition("</script>")[0]
    content = json.loads(text)
    examples = {"images": grey_levels(content["examples"]["images"]), "labels": content["examples"]["labels"]}
    shown = [content["network"]["parameters"], content["learning_rate"], examples, content["history"]]
    assert hashlib.sha256(json.dumps(shown).encode()).hexdigest() == EXPECTED[name]["page"]


# --- resumed ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAME)
def test_an_old_run_resumes_to_what_the_old_version_gave(cli, old_run, own, name):
    """Its data have moved; after 4 epochs it has the parameters that d9461f2 gives without interruption."""
    result = cli("train", "--resume", old_run(name), "--data-dir", own, "--epochs", 4, "--json")

    assert result.code == 0, result.err
    end, expected = result.records[-1], EXPECTED[name]["resume"]
    assert (end["epochs"], end["reason"]) == (expected["epochs"], expected["reason"])
    assert end["test_cost"] == pytest.approx(expected["test_cost"], rel=ROUNDING)
    assert end["test_accuracy"] == pytest.approx(expected["test_accuracy"], abs=0.01)
    assert_parameters(Path(name, "model.npz"), name)


def test_old_runs_of_several_seeds_resume_together(cli, old_run, own):
    """Each of the two networks gets its two further epochs."""
    result = cli("train", "--resume", old_run("relu-seeds"), "--data-dir", own, "--epochs", 4, "--json")

    assert result.code == 0, result.err
    expected = EXPECTED["relu-seeds"]["resume"]["test_accuracy"]
    assert result.records[-1]["test_accuracy"]["each"] == pytest.approx(expected, abs=0.01)
    for seed in (0, 1):
        assert_parameters(Path(f"relu-seeds/seed-{seed}/model.npz"), f"relu-seeds/seed-{seed}")


def test_an_old_run_that_is_finished_prints_its_result_again(cli, old_run, own):
    """Nothing is left to compute, so its sigmoids do not matter; the parameters stay as they were."""
    before = flat(old_run("plain") / "model.npz")

    result = cli("train", "--resume", "plain", "--data-dir", own, "--json")

    assert result.code == 0, result.err
    assert (result.records[-1]["reason"], result.records[-1]["epochs"]) == ("finished", 8)
    assert (flat(Path("plain/model.npz")) == before).all()


@pytest.mark.parametrize(("name", "what"), CHANGED.items())
def test_an_old_run_that_would_end_otherwise_is_refused(cli, old_run, own, name, what):
    """One line: who wrote it, why it cannot resume, what to do. Nothing is written."""
    before = files(old_run(name))
    more = [] if name in {"regularized", "one-cycle", "adam"} else ["--epochs", 12]

    result = cli("train", "--resume", name, "--data-dir", own, *more)

    assert (result.code, result.out) == (2, "")
    assert result.err == (
        f"mnist-bp: cannot resume {name}: mnist-bp 0.1.0, which wrote it, computed {what} differently; use that "
        f"version, or train anew: mnist-bp train --config {name}\n"
    )
    assert files(Path(name)) == before


def test_old_models_join_a_committee_with_new_ones(cli, old_run, own):
    """The folder of old seeds, another old run, and one of the current version, in any order."""
    old_run("seeds"), old_run("plain")
    trained = cli("train", "--data-dir", own, "--hidden", 5, "--epochs", 1, "--output", "new", "--json")
    assert trained.code == 0

    result = cli("evaluate", "seeds", "plain", "new", "--data-dir", own, "--json")

    assert result.code == 0, result.err
    [record] = result.records
    paths = ["seeds/seed-0", "seeds/seed-1", "plain", "new"]
    assert [member["model"] for member in record["members"]] == [str(Path(path, "model.npz")) for path in paths]
    assert record["members"][-1]["accuracy"] == trained.records[-1]["test_accuracy"]
    assert record["members"][2]["accuracy"] == EXPECTED["plain"]["evaluate"]["accuracy"]
    [reverse] = cli("evaluate", "new", "plain", "seeds", "--data-dir", own, "--json").records
    assert reverse["confusion"] == record["confusion"]


def test_one_seed_of_old_runs_is_refused_by_itself(cli, old_run, own):
    """By the name of its own folder."""
    old_run("seeds")

    result = cli("train", "--resume", "seeds/seed-1", "--data-dir", own, "--epochs", 6)

    assert (result.code, result.out) == (2, "")
    assert "cannot resume seeds/seed-1: mnist-bp 0.1.0" in result.err


@pytest.mark.parametrize(
    ("name", "what"), [("seeds", "sigmoids and initial weights"), ("relu-seeds", "initial weights")]
)
def test_old_runs_of_several_seeds_are_not_mixed_with_new_ones(cli, old_run, own, name, what):
    """One of two has not started: the new version would train it with other numbers than the finished one."""
    shutil.rmtree(old_run(name) / "seed-1")
    before = files(Path(name))

    result = cli("train", "--resume", name, "--data-dir", own)

    assert (result.code, result.out) == (2, "")
    assert f"computed {what} differently" in result.err
    assert files(Path(name)) == before


@pytest.mark.parametrize("name", [name for name in CHANGED if name != "seeds"])
def test_the_config_of_an_old_run_trains_anew(cli, old_run, own, name):
    """As the line of a refused run proposes, with today's numbers."""
    result = cli("train", "--config", old_run(name), "--data-dir", own, "--output", "anew", "--json")

    assert result.code == 0, result.err
    assert result.records[0]["resumed_after"] == 0
