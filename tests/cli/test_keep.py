"""``mnist-bp train --keep``: every output describes the saved model, and a resumed run saves the same one."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest

from mnist_bp.network import load_network
from mnist_bp.reports.figures import picture
from mnist_bp.reports.training import TrainingReport

NOISY = ["--hidden", 8, "--batch-size", 10, "--learning-rate", 10, "--average", 0, "--validation", 50, "--seed", 2]
"""Settings with which the validation accuracy rises until epoch 3, falls, and rises further from epoch 6 on.

Each rise and fall is by two images or more: another order of summation in matrix products does not change that.
"""

STOPPED = [*NOISY, "--early-stop", 2]


@pytest.fixture
def train(cli, few):
    """Run ``mnist-bp train`` on 200 of the few digits, into the folder ``run`` unless told otherwise."""

    def run(*arguments, output="run", epochs=8):
        return cli("train", "--data-dir", few, "--limit", 200, "--epochs", epochs, "--output", output,
                   "--json", *arguments)  # fmt: skip

    return run


@pytest.fixture
def interrupted(train, monkeypatch):
    """Run ``mnist-bp train`` with a signal after this epoch has been printed."""

    def run(*arguments, after, number=signal.SIGINT):
        show = TrainingReport.epoch

        def stop(report, result):
            show(report, result)
            if result.epoch == after:
                signal.raise_signal(number)

        with monkeypatch.context() as patch:
            patch.setattr(TrainingReport, "epoch", stop)
            return train(*arguments)

    return run


def epochs_of(done):
    """Return the records of the epochs by number."""
    return {record["epoch"]: record for record in done.records if record["event"] == "epoch"}


def best_of(records):
    """Return the number of the best epoch."""
    return max(records, key=lambda n: (records[n]["validation_accuracy"], -records[n]["validation_cost"], -n))


def assert_same_run(one="run", other="whole"):
    """Config, model and every array of the checkpoint are equal, byte for byte."""
    for name in ("config.toml", "model.npz"):
        assert Path(one, name).read_bytes() == Path(other, name).read_bytes()
    with np.load(Path(one, "checkpoint.npz")) as a, np.load(Path(other, "checkpoint.npz")) as b:
        assert set(a.files) == set(b.files)
        assert all(a[name].tobytes() == b[name].tobytes() for name in a.files if name != "meta")


def test_everything_describes_the_model_of_the_best_epoch(cli, train, few):
    """End record, text, metadata, ``evaluate`` and ``--min-accuracy``; the last epoch has keys of its own."""
    done = train(*STOPPED)
    records, end = epochs_of(done), done.records[-1]
    best, last = best_of(records), max(records)
    assert (done.code, end["reason"], end["epochs"], end["best_epoch"]) == (0, "early-stop", last, best)
    assert best < last
    names = ("test_cost", "test_accuracy", "validation_cost", "validation_accuracy")
    assert {name: end[name] for name in names} == {name: records[best][name] for name in names}
    assert end["last_epoch"] == {name: records[last][name] for name in names}
    assert end["health"] == records[best]["health"]
    validation = [f"{100 * records[n]['validation_accuracy']:.2f} %" for n in (best, last)]
    assert (
        f"saved model: epoch {best} of {last}, best validation accuracy {validation[0]} (last epoch: {validation[1]})"
    ) in done.err.splitlines()
    assert f"% on few (best epoch {best}; early-stop after {last} epochs, " in done.err

    meta = load_network(Path("run/model.npz"))[1]
    assert (meta.epochs, meta.kept, meta.test_accuracy) == (best, "best", end["test_accuracy"])
    *_, evaluation = cli("evaluate", "run", "--data-dir", few, "--json").records
    assert evaluation["accuracy"] == pytest.approx(end["test_accuracy"])
    assert end["test_accuracy"] != end["last_epoch"]["test_accuracy"]
    between = (end["test_accuracy"] + end["last_epoch"]["test_accuracy"]) / 2
    expected = 0 if end["test_accuracy"] > between else 1
    assert cli("train", "--resume", "run", "--min-accuracy", between).code == expected


def test_the_last_epoch_is_saved_on_request(train):
    """The training is the same, and its end has no keys about a best epoch."""
    best, last = train(*STOPPED), train(*STOPPED, "--keep", "last", output="last")
    end = last.records[-1]
    assert epochs_of(best).keys() == epochs_of(last).keys()
    assert end["test_accuracy"] == epochs_of(last)[end["epochs"]]["test_accuracy"]
    assert not {"best_epoch", "last_epoch"} & end.keys()
    assert "last epoch saved" in last.err
    meta = load_network(Path("last/model.npz"))[1]
    assert (meta.epochs, meta.kept) == (end["epochs"], "last")


def test_the_best_epoch_equals_a_training_of_that_length(train):
    """The model has the bytes of a training that had only these epochs."""
    best = train(*STOPPED).records[-1]
    short = train(*NOISY, epochs=best["best_epoch"], output="short").records[-1]
    assert best["fingerprint"] == short["fingerprint"]


@pytest.mark.parametrize("average", [0, 0.9])
def test_resumed_after_any_epoch_it_ends_with_the_same_bytes(cli, train, average):
    """Stopped by the clock after each epoch: the best parameters and their figures are in the checkpoint."""
    settings = [*STOPPED, "--average", average]
    *_, whole = train(*settings, output="whole").records
    done = train(*settings, "--max-seconds", 1e-9)
    ends = [done.records[-1]]
    while ends[-1]["reason"] == "time":
        ends.append(cli("train", "--resume", "run", "--json", "--max-seconds", 1e-9).records[-1])
    assert [end["epochs"] for end in ends] == [*range(1, whole["epochs"] + 1)]
    assert_same_run()
    assert {**ends[-1], "seconds": 0, "run": 0, "model": 0} == {**whole, "seconds": 0, "run": 0, "model": 0}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_saves_the_best_of_the_finished_epochs(cli, train, interrupted, number):
    """Exit code 130; resumed, it ends as the uninterrupted training."""
    *_, whole = train(*STOPPED, output="whole").records
    done = interrupted(*STOPPED, after=whole["best_epoch"] + 1, number=number)
    end = done.records[-1]
    assert (done.code, end["reason"], end["epochs"]) == (130, "interrupted", whole["best_epoch"] + 1)
    assert (end["best_epoch"], end["fingerprint"]) == (whole["best_epoch"], whole["fingerprint"])
    assert load_network(Path("run/model.npz"))[1].epochs == whole["best_epoch"]
    assert cli("train", "--resume", "run").code == 0
    assert_same_run()


def test_a_raised_early_stop_continues_as_if_it_had_been_given_at_first(cli, train):
    """From the last epoch, not from the saved one."""
    train(*NOISY, "--early-stop", 6, output="whole")
    first = train(*STOPPED).records[-1]
    done = cli("train", "--resume", "run", "--early-stop", 6, "--json")
    assert min(epochs_of(done)) == first["epochs"] + 1
    assert done.records[-1]["best_epoch"] > first["best_epoch"]
    assert_same_run()


@pytest.mark.parametrize(
    ("settings", "resumed", "said"),
    [
        (STOPPED, ["--early-stop", 1], "run was trained with --early-stop 2, not 1: --resume can only raise"),
        (NOISY, ["--early-stop", 2], "run was trained with no --early-stop, not 2: --resume can only raise a given"),
        (STOPPED, ["--keep", "last"], "--keep cannot be combined with --resume"),
    ],
)
def test_a_run_is_not_resumed_to_another_end(cli, train, settings, resumed, said):
    """Exit code 2, one line; nothing is written."""
    train(*settings, epochs=2)
    before = {path: path.read_bytes() for path in Path("run").iterdir()}
    done = cli("train", "--resume", "run", *resumed)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert said in done.err
    assert {path: path.read_bytes() for path in Path("run").iterdir()} == before


def test_a_run_of_a_version_without_the_setting_keeps_its_last_epoch(cli, train):
    """Its config and checkpoint do not name it: with the early stop, too, it ends as it would have ended."""
    settings = [*STOPPED, "--keep", "last"]
    train(*settings, output="whole")
    train(*settings, epochs=4)
    config = Path("run/config.toml")
    config.write_text(config.read_text(encoding="utf-8").replace('keep = "last"\n', ""), encoding="utf-8")
    end = cli("train", "--resume", "run", "--epochs", 8, "--json").records[-1]
    assert (end["reason"], "best_epoch" in end) == ("early-stop", False)
    assert_same_run()


def test_a_run_that_diverges_saves_its_best_epoch(train, monkeypatch):
    """Exit code 1; the end record has both epochs."""
    show = TrainingReport.epoch

    def spoil(report, result):
        show(report, result)
        if result.epoch == 5:
            report._session.trainer.network.weights[0][:] = np.nan

    monkeypatch.setattr(TrainingReport, "epoch", spoil)
    done = train(*NOISY, "--keep", "best")
    end, best = done.records[-1], best_of(epochs_of(done))
    assert (done.code, end["reason"], end["epochs"], end["best_epoch"]) == (1, "diverged", 5, best)
    assert best < 5
    assert load_network(Path("run/model.npz"))[1].epochs == best


def test_stopped_before_its_first_epoch_it_has_no_best_one(train, monkeypatch):
    """The keys are there, and null."""
    monkeypatch.setattr(TrainingReport, "step", lambda _: signal.raise_signal(signal.SIGINT))
    end = train(*STOPPED).records[-1]
    assert (end["reason"], end["epochs"]) == ("interrupted", 0)
    assert [end[key] for key in ("test_accuracy", "best_epoch", "last_epoch", "health")] == [None] * 4


def test_the_pictures_show_the_saved_model(train, monkeypatch):
    """Their heads name its epoch, and the confusion matrix has its accuracy."""
    drawn = {}
    monkeypatch.setattr(picture, "save", lambda one, path: drawn.update({path.stem: one}))
    end = train(*STOPPED, "--plot").records[-1]
    heads = {name: " ".join(text.get_text() for text in one.figure.texts) for name, one in drawn.items()}
    assert len(heads) == 5
    assert all(f"epoch {end['best_epoch']}, the best on the validation set" in head for head in heads.values())
    assert f"accuracy {100 * end['test_accuracy']:.2f} %" in heads["confusion"]
    legend = [text.get_text() for text in drawn["learning-curves"].figure.axes[0].get_legend().get_texts()]
    assert f"saved model: epoch {end['best_epoch']}" in legend


def test_every_seed_saves_its_own_best_epoch(train):
    """Each equals the run of its seed alone."""
    done = train(*STOPPED, "--seeds", 2, output="all")
    *_, summary = done.records
    for seed, best, fingerprint in zip((2, 3), summary["best_epochs"], summary["fingerprints"], strict=True):
        alone = train(*STOPPED, "--seed", seed, output=f"alone-{seed}").records[-1]
        assert (alone["best_epoch"], alone["fingerprint"]) == (best, fingerprint)
    history = [json.loads(line) for line in Path("all/history.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(record["best_epoch"] for record in history[:-1]) == sorted(summary["best_epochs"])
