"""``train --dry-run``: settings with their origins, estimates, and nothing else."""

import os
from pathlib import Path

import numpy as np
import pytest

from mnist_bp.network import Network
from mnist_bp.training import plan
from mnist_bp.training.settings import SETTINGS, Settings

DATA = plan.DataPlan("few", 500, 500, 0, 250, (28, 28), 10)


@pytest.fixture
def dry_run(cli, idx_folder, monkeypatch):
    """Return the record of a dry run on the few digits."""
    monkeypatch.setattr(plan, "SECONDS", 0.01)

    def run(*options):
        done = cli("train", "--dry-run", "--data-dir", idx_folder, "--json", *options)
        assert (done.code, len(done.records)) == (0, 1), done.err
        return done.records[0]

    return run


def files(folder):
    """Return the files below a folder, with their times of writing."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_all_settings_are_printed_with_their_origins(dry_run, cli, idx_folder):
    """The command line overrides the config, and the config the default."""
    Path("my.toml").write_text('hidden = "8"\nepochs = 3\n', encoding="utf-8")
    record = dry_run("--config", "my.toml", "--epochs", 4)
    settings = record["settings"]
    assert [*settings] == [each.key for each in SETTINGS.values()]
    assert settings["hidden"] == {"value": "8", "source": "config"}
    assert settings["epochs"] == {"value": 4, "source": "option"}
    assert settings["learning-rate"] == {"value": 2.0, "source": "default"}
    assert (record["event"], record["sizes"], record["parameters"]) == ("dry-run", [784, 8, 10], 6370)
    assert (record["train_examples"], record["steps_per_epoch"], record["epochs"]) == (500, 5, 4)
    lines = cli("train", "--dry-run", "--data-dir", idx_folder, "--config", "my.toml").out.splitlines()
    assert [line.split() for line in lines if line.startswith("hidden ")] == [["hidden", "8", "config"]]
    assert lines[-1].startswith("nothing was trained or written; 3 epochs: about ")


def test_nothing_is_trained_written_or_downloaded(dry_run, tmp_path, idx_folder):
    """Neither with a run folder, a name nor seeds."""
    before = files(tmp_path)
    dry_run("--output", "run", "--name", "base")
    dry_run("--seeds", 3)
    assert files(tmp_path) == before


def test_published_sizes_replace_data_that_are_not_there(cli, tmp_path, monkeypatch):
    """The reason is given, and no request is sent."""
    monkeypatch.setattr(plan, "SECONDS", 0.01)
    monkeypatch.setattr("mnist_bp.data.datasets._download", lambda *_: pytest.fail("download"))
    for options in ([], ["--dataset", "fashion-mnist"], ["--min-accuracy", 0.9]):
        done = cli("train", "--dry-run", "--json", "--validation", 5000, *options)
        (record,) = done.records
        assert "is not in" in record["missing"]
        sizes = [record[f"{split}_examples"] for split in ("train", "validation", "test")]
        assert (sizes, record["sizes"]) == ([55_000, 5_000, 10_000], [784, 16, 16, 10])
    assert not (tmp_path / "cache").exists()


def test_synthetic_digits_are_not_drawn(cli, few_synthetic_digits):
    """Their number is known; they are called synthetic."""
    few_synthetic_digits(60_000, 10_000, draw=lambda n, *_: (np.zeros((n, 28, 28), np.uint8), np.zeros(n, np.uint8)))
    done = cli("train", "--dry-run", "--dataset", "synthetic", "--json", "--limit", 600, "--quiet")
    record = done.records[0]
    assert (record["train_examples"], record["test_examples"], record["synthetic"]) == (600, 10_000, True)


@pytest.mark.parametrize(
    "options",
    [
        ["--data-dir", "nowhere"],
        ["--validation", 500],
        ["--schedule", "cosine"],
        ["--early-stop", 2],
        ["--learning-rate", -1],
        ["--hidden", "none", "--dropout", 0.5],
        ["--dataset", "own"],
        ["--dataset", "emnist-letters"],
        ["--config", "missing.toml"],
        ["--output", "taken"],
        ["--resume", "nowhere"],
    ],
)
def test_errors_are_those_of_a_training(cli, idx_folder, options):
    """With the same code and the same words."""
    Path("taken").mkdir()
    Path("taken/config.toml").touch()
    data = [] if "--data-dir" in options or "--dataset" in options else ["--data-dir", idx_folder]
    trained, planned = (cli("train", *data, *options, *more) for more in ([], ["--dry-run"]))
    assert planned == trained
    assert planned.code in {2, 3}


def test_a_resumed_run_has_the_rest_of_its_epochs(dry_run, cli, train):
    """Its settings come from its config."""
    assert train().code == 0
    done = cli("train", "--resume", "run", "--epochs", 5, "--dry-run", "--json")
    assert done.records[0]["epochs"] == 2
    assert done.records[0]["settings"]["hidden"] == {"value": "8", "source": "config"}


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "adam"])
@pytest.mark.parametrize("hidden", [(), (8,), (30, 20)])
def test_the_arrays_of_the_state_have_the_estimated_sizes(optimizer, hidden):
    """Parameters, optimizer, average and best epoch together are the state of a trainer, except for its counters."""
    settings = Settings(optimizer=optimizer, hidden=hidden, dtype="float64", keep="best")
    sizes = plan.layer_sizes(settings, DATA)
    network = Network(sizes, rng=np.random.default_rng(0), dtype="float64")
    few = plan.LabelledImages(np.zeros((3, 784), np.uint8), np.zeros(3, np.uint8))
    arrays = plan.Trainer(network, few, few, settings, validation=few).state.values()
    memory = plan.estimate_memory(settings, DATA)
    assert plan.parameter_count(sizes) == len(network.parameters)
    assert sum(memory[part] for part in ("parameters", "optimizer", "average", "best")) == sum(
        array.nbytes for array in arrays if array.ndim
    )


@pytest.mark.parametrize(
    "options",
    [{"batch_size": None}, {"augment": "elastic"}, {"dropout": 0.5, "batch_size": 7}, {"hidden": ()},
     {"learning_rate": 1e30, "activation": "relu", "cost": "cross-entropy"}],
)  # fmt: skip
def test_durations_are_measured_with_every_setting(options):
    """Also if random labels make the training diverge."""
    found = plan.measure_durations(Settings(**options), DATA, seconds=0.0)
    assert found.step > 0
    assert found.evaluation > 0


def test_a_training_that_does_not_fit_is_planned_without_its_arrays(dry_run, monkeypatch):
    """It needs terabytes; nothing of it is allocated."""
    monkeypatch.setattr("mnist_bp.machine.available_memory", lambda: 10**9)
    record = dry_run("--hidden", "1000000,1000000")
    assert (record["seconds"], record["parameters"] > 10**12, record["memory"]["total"] > 10**12) == (None, True, True)


def test_unknown_memory_of_the_program_is_null(dry_run, monkeypatch):
    """As on systems without /proc."""
    monkeypatch.setattr("mnist_bp.machine.MEMORY_OF_PROCESS", Path("nowhere"))
    monkeypatch.setattr("mnist_bp.machine.MEMORY_OF_MACHINE", Path("nowhere"))
    record = dry_run()
    assert record["memory"]["program"] is None
    assert record["seconds"]["total"] > 0


def test_several_seeds_share_the_cores(dry_run, monkeypatch):
    """The memory is that of all that train at the same time."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    one, four = dry_run(), dry_run("--seeds", 4)
    assert (four["seeds"], four["parallel"]) == (4, min(4, four["parallel"]))
    assert four["memory"]["total"] >= four["parallel"] * 0.9 * one["memory"]["total"]
