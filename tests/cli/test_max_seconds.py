"""``mnist-bp train --max-seconds``: the training stops after the epoch in which its time is over, and can resume."""

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from mnist_bp.reports.training import TrainingReport

RECIPE = ["--hidden", 4, "--epochs", 6]


@pytest.fixture
def train(cli, idx_folder):
    """Run ``mnist-bp train`` on 100 of the few digits, into the folder ``run`` unless told otherwise."""

    def run(*arguments, output="run"):
        return cli("train", "--data-dir", idx_folder, "--limit", 100, "--output", output, "--json", *RECIPE, *arguments)

    return run


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still, except that each epoch takes 10 seconds."""
    now, show = 1000.0, TrainingReport.epoch

    def epoch(report, result):
        nonlocal now
        now += 10
        show(report, result)

    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(TrainingReport, "epoch", epoch)


def assert_same_run(one="run", other="whole"):
    """Model, config and checkpoint are equal, byte for byte."""
    for name in ("config.toml", "model.npz"):
        assert Path(one, name).read_bytes() == Path(other, name).read_bytes()
    with np.load(Path(one, "checkpoint.npz")) as a, np.load(Path(other, "checkpoint.npz")) as b:
        assert all(a[name].tobytes() == b[name].tobytes() for name in a.files if name != "meta")


@pytest.mark.parametrize(
    ("seconds", "epochs", "reason"),
    [
        (0.5, 1, "time"),
        (10, 1, "time"),
        (25, 3, "time"),
        (59, 6, "finished"),
        (60, 6, "finished"),
        (1e9, 6, "finished"),
    ],
)
def test_it_stops_after_the_epoch_in_which_the_time_is_over(train, clock, seconds, epochs, reason):
    """Exit code 0, everything saved. If that was the last epoch, the training is finished."""
    done = train("--max-seconds", seconds)
    end = done.records[-1]
    assert (done.code, done.records[0]["max_seconds"]) == (0, seconds)
    assert (end["epochs"], end["reason"]) == (epochs, reason)
    assert Path("run/model.npz").is_file()
    ended = "stopped by --max-seconds after" if reason == "time" else "finished after"
    assert f"({ended} {epochs} epoch" in done.err
    assert ("next: mnist-bp train --resume run" in done.err) == (reason == "time")
    assert f"limit    {seconds:g} s of training, and the rest of the epoch in which they end" in done.err.splitlines()


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "one-cycle"])
@pytest.mark.parametrize("more", [[], ["--max-seconds", 20]])
def test_it_resumes_with_every_schedule(cli, train, clock, schedule, more):
    """Without a limit, or with another one, for the time of that command."""
    train("--schedule", schedule, output="whole")
    train("--schedule", schedule, "--max-seconds", 15)
    done = cli("train", "--resume", "run", "--json", *more)
    assert done.records[0]["resumed_after"] == 2
    assert (done.code, done.records[-1]["epochs"]) == (0, 4 if more else 6)
    if more:
        cli("train", "--resume", "run")
    assert_same_run()


def test_the_limit_is_no_setting_of_the_run(train, cli):
    """It is in no config; the config of the run trains to the end."""
    train("--max-seconds", 1e-9)
    assert "max-seconds" not in Path("run/config.toml").read_text(encoding="utf-8")
    end = cli("train", "--config", "run", "--output", "again", "--json").records[-1]
    assert (end["reason"], end["epochs"]) == ("finished", 6)


def test_a_config_file_can_limit_the_time(train):
    """Like every option."""
    Path("my.toml").write_text("max-seconds = 0.000001\n", encoding="utf-8")
    assert train("--config", "my.toml").records[-1]["reason"] == "time"


def test_the_verdict_is_that_of_the_saved_model(train):
    """Exit code 1 below the required accuracy, 0 otherwise, as for any end."""
    assert train("--max-seconds", 1e-9, "--min-accuracy", 1).code == 1
    assert train("--max-seconds", 1e-9, "--min-accuracy", 0, output="other").code == 0


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "soon"])
def test_other_limits_are_refused(train, value):
    """Exit code 2, one line, no run."""
    done = train(f"--max-seconds={value}")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "--max-seconds" in done.err
    assert not Path("run").exists()


def test_the_limit_of_several_seeds_is_one_for_all(cli, few, stopped_seeds):
    """However short it is, each network has an epoch and counts; resumed, each ends as without a limit."""
    *records, summary = map(json.loads, (stopped_seeds / "said").read_text(encoding="utf-8").splitlines())
    ends = [record for record in records if record["event"] == "end"]
    assert (summary["seeds"], summary["unfinished"]) == ([0, 1], [])
    assert [(end["reason"], end["epochs"]) for end in ends] == [("time", 1)] * 2
    shutil.copytree(stopped_seeds / "all", "all")
    assert cli("train", "--resume", "all").code == 0
    cli("train", "--data-dir", few, "--limit", 100, *RECIPE, "--seed", 1, "--output", "whole")
    assert_same_run("all/seed-1")
