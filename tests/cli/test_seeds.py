"""``mnist-bp train --seeds``: several trainings at a time, their messages and their summary."""

import io
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import mnist_bp
from mnist_bp.cli import seeds as seeds_module
from mnist_bp.cli.signals import on_suspend, stop_this_process
from mnist_bp.data.datasets import Dataset
from mnist_bp.network import load_network
from mnist_bp.reports.console import Console
from mnist_bp.reports.seeds import SeedsReport
from mnist_bp.training import threads
from mnist_bp.training.run_folder import RunFolder
from mnist_bp.training.seeds import SeedRun, TimeLimit, name_seeds, seed_command, summarize
from mnist_bp.training.settings import Settings
from mnist_bp.training.worker_pool import WorkerPool

ROOT = Path(mnist_bp.__file__).parents[1]
HEALTH = {"saturated": [0.0], "dead": None, "gradient_norm": [1.0, 1.0], "never_predicted": [], "at_chance": False}


@pytest.fixture
def train(cli, idx_folder):
    """Run ``mnist-bp train`` on the few digits, into the folder ``all``, for one epoch unless told otherwise."""

    def run(*arguments, output="all"):
        arguments = ("--hidden", "8", "--epochs", "1", "--output", output, *arguments)
        return cli("train", "--data-dir", idx_folder, *arguments)

    return run


@pytest.fixture
def recipe():
    """A recipe of ten epochs, seed 3."""
    return Settings(
        hidden=(8,), activation="sigmoid", cost="squared-error", learning_rate=2.0, batch_size=100, epochs=10, seed=3,
        dtype="float32", threads=1, dataset=None, data_dir=None, limit=None,
    )  # fmt: skip


@pytest.fixture
def report(recipe, few_digits):
    """A report on these runs, of what has happened until now."""

    def make(runs, output="all", keep="last", **how):
        series = RunFolder.create(Path(output), (784, 8, 10), {})
        return SeedsReport(Console(**how), replace(recipe, keep=keep), Dataset("few", *few_digits), runs, series)

    return make


def finished(seed, accuracy, end=None, **other):
    """Return a finished training, with other keys of its end record and other diagnostics."""
    end = end or {}
    run = SeedRun(seed, Path(f"seed-{seed}"), code=0)
    run.take({
        "event": "end", "reason": "finished", "epochs": 10, "test_cost": 0.25, "test_accuracy": accuracy,
        "health": {**HEALTH, **other}, "seconds": 1.5, "run": f"seed-{seed}", "fingerprint": str(seed), **end,
    })  # fmt: skip
    return run


def failed(seed, reason, error, *, code=1, epochs=0):
    """A training that did not."""
    run = SeedRun(seed, Path(f"seed-{seed}"), code=code, error=error)
    if epochs:
        run.take({"event": "epoch", "epoch": epochs, "test_cost": 0.5, "test_accuracy": 0.5, "health": HEALTH})
    run.take({
        "event": "end", "reason": reason, "epochs": epochs, "test_cost": None, "test_accuracy": None, "seconds": 0.5,
    })  # fmt: skip
    return run


def python(code):
    """Return a command that runs this code in a new process, with a fast start of Python."""
    return [sys.executable, "-I", "-S", "-c", code]


# --- what they come to -----------------------------------------------------------------------------------------------


def test_the_summary_has_mean_and_sample_standard_deviation():
    """For 0.92, 0.94 and 0.96, they are 0.94 and √((0.02² + 0.02²) / 2) = 0.02."""
    record = summarize([finished(3, 0.92), finished(4, 0.94), finished(5, 0.96)])
    assert (record["event"], record["seeds"], record["unfinished"]) == ("summary", [3, 4, 5], [])
    accuracy = record["test_accuracy"]
    assert accuracy["each"] == [0.92, 0.94, 0.96]
    assert (accuracy["mean"], accuracy["std"]) == (pytest.approx(0.94), pytest.approx(0.02))
    assert record["test_cost"] == {"each": [0.25] * 3, "mean": 0.25, "std": 0.0}
    assert record["fingerprints"] == ["3", "4", "5"]
    assert record["runs"] == ["seed-3", "seed-4", "seed-5"]


def test_only_what_is_finished_counts():
    """One that diverged after good epochs is named, and is not in the mean; two are needed for a deviation."""
    record = summarize([failed(0, "diverged", "", epochs=2), finished(1, 0.9), SeedRun(2, Path("seed-2"))])
    assert (record["seeds"], record["unfinished"]) == ([1], [0, 2])
    assert record["test_accuracy"] == {"each": [0.9], "mean": 0.9, "std": None}
    assert summarize([SeedRun(0, Path("seed-0"))])["test_cost"] == {"each": [], "mean": None, "std": None}


@pytest.mark.parametrize(
    ("seeds", "name"),
    [([7], "seed 7"), ([0, 1], "seeds 0, 1"), ([2, 3, 4], "seeds 2-4"), ([0, 2, 3], "seeds 0, 2, 3")],
)
def test_seeds_are_named_as_people_write_them(seeds, name):
    """A range only where none is missing."""
    assert name_seeds(seeds) == name


# --- what is said ----------------------------------------------------------------------------------------------------


def test_a_pipe_gets_a_line_for_each_seed_and_one_for_all(report, capsys):
    """The lines give each result with its warnings, the mean and standard deviation, and the next command."""
    runs = [finished(3, 0.92), finished(4, 0.96, never_predicted=[7])]
    lines = _told(report(runs), runs, capsys)
    assert lines[0] == "data     few: 500 training and 250 test examples"
    assert lines[1] == "recipe   sgd, learning rate 2, batches of 100, 10 epochs, seeds 3, 4, 1 thread"
    assert lines[2] == "networks 784-8-10, 2 of them, 2 at a time"
    assert lines[3] == "seed 3: test accuracy 92.00 %, error 8.00 % (finished after 10 epochs, 1.5 s)"
    assert lines[4] == "seed 4: test accuracy 96.00 %, error 4.00 % (finished after 10 epochs, 1.5 s)"
    assert lines[5].startswith("warning  seed 4: class 7: never predicted")
    assert lines[6] == (
        "test accuracy 94.00 ± 2.83 % (92.00 % to 96.00 %), error 6.00 ± 2.83 % on few: "
        "mean ± standard deviation of seeds 3, 4 (9.0 s); runs: all"
    )
    assert lines[7:] == ["next: mnist-bp page seed-3", "or:   mnist-bp evaluate all"]


def test_what_failed_is_reported_and_what_can_resume_too(report, capsys):
    """The lines say why, that it does not count, and how to resume interrupted ones."""
    runs = [
        finished(3, 0.9),
        failed(4, "diverged", "training diverged in epoch 1"),
        failed(5, "interrupted", "interrupted", code=130, epochs=2),
        failed(6, "interrupted", "interrupted", code=130),
    ]
    lines = _told(report(runs), runs, capsys)
    assert lines[4:] == [
        "seed 4: training diverged in epoch 1",
        "seed 5: interrupted after 2 epochs",
        "seed 6: interrupted after 0 epochs",
        "warning  seeds 4-6: not finished, and not counted",
        "test accuracy 90.00 % on few (seed 3 only) (9.0 s); runs: all",
        "next: mnist-bp train --resume all",
    ]


def test_quiet_prints_the_last_line_only(report, capsys):
    """Whatever happened."""
    runs = [failed(3, "diverged", "training diverged"), failed(4, "diverged", "training diverged")]
    assert _told(report(runs, quiet=True), runs, capsys) == ["no training has finished (9.0 s); runs: all"]


def test_a_terminal_gets_a_table_that_moves_and_stays(report, monkeypatch):
    """While they train, how far each is; in the end one table, also with mean, standard deviation, least and most."""
    screen = _terminal(monkeypatch, columns=60)
    runs = [finished(3, 0.92), SeedRun(4, Path("seed-4")), failed(5, "diverged", "training diverged")]
    told = report(runs)
    with told:
        told.refresh()
        runs[1] = told._runs[1] = finished(4, 0.96)
        told.ended(runs[1])
    moving, still = screen.getvalue().rsplit("\x1b[?25h", 1)
    assert "waiting" in moving
    told.end(summarize(runs), 9.0)
    still = screen.getvalue().rsplit("\x1b[?25h", 1)[1].splitlines()
    rows = [line.split() for line in still if line.strip()]
    start = next(i for i, row in enumerate(rows) if row[0] == "3")
    assert rows[start : start + 7] == [
        ["3", "10/10", "0.2500", "92.00", "%", "8.00", "%", "1.5"],
        ["4", "10/10", "0.2500", "96.00", "%", "4.00", "%", "1.5"],
        ["5", "0/10", "diverged", "0.5"],
        ["mean", "0.2500", "94.00", "%", "6.00", "%", "1.5"],
        ["±", "std", "0.0000", "2.83", "%", "2.83", "%", "0.0"],
        ["min", "0.2500", "92.00", "%", "4.00", "%", "1.5"],
        ["max", "0.2500", "96.00", "%", "8.00", "%", "1.5"],
    ]
    assert max(map(len, still[start : start + 7])) <= 60


def test_a_terminal_that_is_too_narrow_for_the_table_gets_lines(report, monkeypatch):
    """Nothing is cut."""
    screen = _terminal(monkeypatch, columns=40)
    told = report([finished(3, 0.92)])
    with told:
        told.refresh()
        told.ended(finished(3, 0.92))
    assert screen.getvalue().splitlines() == [
        "seed 3: test accuracy 92.00 %, error",
        "8.00 % (finished after 10 epochs, 1.5 s)",
    ]


def test_records_stay_on_standard_output_while_a_table_moves(report, monkeypatch, capsys):
    """``--json`` into a file, with people's text on a terminal: no record gets into the table."""
    _terminal(monkeypatch, columns=60, stream="stderr")
    run = finished(3, 0.9)
    told = report([run], json=True)
    with told:
        told.record(run, {"event": "epoch", "epoch": 1})
    assert json.loads(capsys.readouterr().out) == {"event": "epoch", "epoch": 1, "seed": 3}


def test_each_network_has_its_own_best_epoch(report, monkeypatch, capsys):
    """A column of the table, a part of the line and a list in the summary, in the order of the seeds."""
    runs = [finished(3, 0.92, {"best_epoch": 7}), finished(4, 0.96, {"best_epoch": 10})]
    told = report(runs, keep="best")
    assert summarize(runs)["best_epochs"] == [7, 10]
    assert "seed 3: test accuracy 92.00 %, error 8.00 % (best epoch 7; finished after 10 epochs, 1.5 s)" in (
        _told(told, runs, capsys)
    )
    screen = _terminal(monkeypatch, columns=60)
    report(runs, output="table", keep="best").end(summarize(runs), 9.0)
    rows = [line.split() for line in screen.getvalue().splitlines()]
    assert ["4", "10/10", "10", "0.2500", "96.00", "%", "4.00", "%", "1.5"] in rows
    assert ["mean", "0.2500", "94.00", "%", "6.00", "%", "1.5"] in rows


def test_trainings_that_ran_out_of_time_count_and_can_resume(report, capsys):
    """A warning names them and how far they came."""
    early = {"reason": "time", "epochs": 4}
    runs = [finished(3, 0.92), finished(4, 0.96, early), finished(5, 0.94, {**early, "epochs": 6})]
    lines = _told(report(runs), runs, capsys)
    assert "seed 4: test accuracy 96.00 %, error 4.00 % (stopped by --max-seconds after 4 epochs, 1.5 s)" in lines
    assert "warning  seeds 4, 5: stopped by --max-seconds after 4 to 6 of 10 epochs" in lines
    assert lines[-2].startswith("test accuracy 94.00 ± 2.00 % ")
    assert lines[-1] == "next: mnist-bp train --resume all"


def test_the_time_of_all_is_divided_among_rounds(monkeypatch):
    """Five trainings, two at a time, start in three rounds. Each gets an equal part of the time that is left."""
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    limit = TimeLimit(30, 5, 2)
    assert [limit.part(4), limit.part(3)] == [10, 10]
    now = 106.0  # these stopped early
    assert [limit.part(2), limit.part(1)] == [12, 12]
    now = 118.0
    assert limit.part(0) == 12
    now = 140.0
    assert 0 < limit.part(0) < 1


# --- the processes ---------------------------------------------------------------------------------------------------


def test_one_at_a_time_begins_when_the_one_before_has_ended():
    """With room for one, nothing of the second comes before the end of the first, and all comes."""
    commands = {seed: python(f"print('{{\"a\": {seed}}}')") for seed in (5, 6)}
    with WorkerPool(commands, 1, on_suspend=stop_this_process) as trainings:
        news = [item for item in trainings.news() if item is not None]
    assert news == [(5, {"a": 5}), (5, (0, "")), (6, {"a": 6}), (6, (0, ""))]


def test_a_process_that_dies_in_the_middle_of_a_line_has_ended():
    """Its half of a record is no news; its exit code and the last line of its errors are."""
    code = (
        "import os, sys\nprint('{\"a\"', end='', flush=True)\nprint('x\\noh', file=sys.stderr, flush=True)\nos._exit(9)"
    )
    with WorkerPool({0: python(code)}, 2, on_suspend=stop_this_process) as trainings:
        assert [item for item in trainings.news() if item is not None] == [(0, (9, "oh"))]


@pytest.mark.skipif(sys.platform == "win32", reason="no process groups there")
def test_a_terminals_ctrl_c_reaches_this_process_alone():
    """Each training is in a group of its own: interrupted once more by the terminal, it could not save."""
    with WorkerPool({0: python("import os\nprint(os.getpgrp())")}, 1, on_suspend=stop_this_process) as trainings:
        group = next(item for item in trainings.news() if item is not None).what
    assert group != os.getpgrp()


def test_an_error_leaves_no_process_behind():
    """Trainings that are running when the block ends (a closed pipe, a full disk) are killed and waited for."""
    commands = {0: python("import time\nprint('{}', flush=True)\ntime.sleep(600)")}
    trainings = WorkerPool(commands, 1, on_suspend=stop_this_process)
    with suppress(BrokenPipeError), trainings:
        assert next(item for item in trainings.news() if item is not None).what == {}
        (process,) = trainings._running.values()
        raise BrokenPipeError
    assert process.returncode is not None


def test_other_digits_than_the_others_are_an_error(train, monkeypatch):
    """A training that finds its data gone, and takes synthetic ones, does not spoil the mean: exit 3."""
    start = json.dumps({"event": "start", "dataset": "synthetic"})
    monkeypatch.setattr(seeds_module, "seed_command", lambda *_: python(f"print({start!r})"))
    done = train("--seeds", "2")
    assert done.code == 3
    assert "found synthetic instead of few" in done.err


# --- the command -----------------------------------------------------------------------------------------------------


ALONE = ["--epochs", "2", "--l2", "1e-5", "--average", "0.9"]


@pytest.fixture(scope="module")
def pair(run_once, few):
    """A folder: seeds 4 and 5 trained by ``ALONE`` in ``all``, and the records of that in ``said``."""
    seeds = ["--seeds", "2", "--seed", "4"]
    return run_once("train", "--data-dir", few, "--hidden", "8", "--output", "all", *ALONE, *seeds, "--json")


@pytest.fixture
def whole(pair):
    """A copy of those runs, as ``all``; its summary."""
    shutil.copytree(pair / "all", "all")
    return json.loads((pair / "said").read_text(encoding="utf-8").splitlines()[-1])


def test_each_seed_is_trained_as_it_would_be_alone(train, few, pair, whole):
    """Bit for bit, and with the same config; the records of each carry its seed, and the last one sums up."""
    train("--data-dir", few, "--seed", "5", *ALONE, output="alone")
    assert _arrays("all/seed-5") == _arrays("alone")
    assert _arrays("all/seed-4") != _arrays("alone")
    assert Path("all/seed-5/config.toml").read_bytes() == Path("alone/config.toml").read_bytes()

    *records, summary = map(json.loads, (pair / "said").read_text(encoding="utf-8").splitlines())
    for seed in (4, 5):
        assert [record["event"] for record in records if record["seed"] == seed] == ["start", "epoch", "epoch", "end"]
    ends = sorted((record for record in records if record["event"] == "end"), key=lambda end: end["seed"])
    accuracies = [end["test_accuracy"] for end in ends]
    assert (summary["seeds"], summary["run"]) == ([4, 5], "all")
    assert summary["runs"] == [str(Path("all/seed-4")), str(Path("all/seed-5"))]
    assert summary["test_accuracy"]["each"] == accuracies
    assert summary["test_accuracy"]["std"] == pytest.approx(abs(accuracies[0] - accuracies[1]) / math.sqrt(2))
    assert summary["fingerprints"] == [end["fingerprint"] for end in ends]
    history = [json.loads(line) for line in Path("all/history.jsonl").read_text(encoding="utf-8").splitlines()]
    assert history == [*(record for record in records if record["event"] == "end"), summary]


def test_the_folder_of_all_seeds_is_a_committee(cli, whole):
    """``evaluate`` averages their outputs; each member has the accuracy that its training reported."""
    ends = [json.loads(line) for line in Path("all/history.jsonl").read_text(encoding="utf-8").splitlines()][:-1]
    done = cli("evaluate", "all", "--json")
    assert done.code == 0
    reported = {end["model"]: end["test_accuracy"] for end in ends}
    assert {member["model"]: member["accuracy"] for member in done.records[0]["members"]} == reported


def test_the_config_of_all_repeats_all_and_the_wanted_accuracy_is_of_the_mean(cli, whole):
    """``seeds`` is an option like the others; a mean under ``--min-accuracy`` is 1, with all runs done."""
    again = cli("train", "--config", "all/config.toml", "--output", "again", "--min-accuracy", 1)
    assert again.code == 1
    mean = whole["test_accuracy"]["mean"]
    assert again.err == f"mnist-bp: mean test accuracy {mean:.4f} is below --min-accuracy 1\n"
    said = sorted(line.split(":")[0] for line in again.out.splitlines() if line.startswith("seed "))
    assert said == ["seed 4", "seed 5"]
    assert all(_arrays(f"again/seed-{seed}") == _arrays(f"all/seed-{seed}") for seed in (4, 5))
    assert tomllib.loads(Path("again/config.toml").read_text(encoding="utf-8"))["seeds"] == 2


def test_one_that_fails_does_not_keep_the_others_from_it(train):
    """Its error, with its seed, on the last line; its exit code; the others' results."""
    Path("all/seed-0").mkdir(parents=True)
    Path("all/seed-0/model.npz").touch()
    done = train("--seeds", "2", "--json")
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith(f"mnist-bp: seed 0: {Path('all/seed-0')} already contains a run")
    summary = done.records[-1]
    assert (summary["seeds"], summary["unfinished"], summary["test_accuracy"]["std"]) == ([1], [0], None)
    assert Path("all/seed-1/model.npz").is_file()


def test_without_data_all_train_on_synthetic_digits_and_say_so(cli, few_synthetic_digits, monkeypatch, finished_worker):
    """Settled once: it is said on top, each training is told so, and its folder is in runs."""
    few_synthetic_digits(100, 50)
    commands = []

    def command(settings, run):
        commands.append(seed_command(settings, run))
        return finished_worker

    monkeypatch.setattr(seeds_module, "seed_command", command)
    done = cli("train", "--seeds", "2", "--epochs", "1", "--json")
    assert done.code == 0
    assert done.err.count("Training on synthetic digits instead") == 1
    assert len(commands) == 2
    assert all("--dataset=synthetic" in each for each in commands)
    folder = Path(done.records[-1]["run"])
    assert folder.parent == Path("runs")
    assert tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))["dataset"] == "synthetic"


INTERRUPTED = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print('{"event": "epoch", "epoch": 1}', flush=True)
signal.sigwait({signal.SIGTERM})
print('{"event": "end", "reason": "interrupted", "epochs": 1, "test_cost": 0.5, "test_accuracy": 0.5}')
raise SystemExit(130)
"""
"""Program of a worker that has finished an epoch, and ends as one that was interrupted when it is."""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals for one process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_all_that_run(train, monkeypatch, number):
    """Once; no other is begun, and the exit code is 130."""
    monkeypatch.setattr(threads, "usable_cores", lambda: 2)
    monkeypatch.setattr(seeds_module, "seed_command", lambda *_: python(INTERRUPTED))
    record = SeedsReport.record

    def interrupt(report, run, news):
        record(report, run, news)
        begun.add(run.seed)
        if news["event"] == "epoch" and begun == {0, 1}:
            signal.raise_signal(number)

    begun = set()
    monkeypatch.setattr(SeedsReport, "record", interrupt)
    done = train("--seeds", 3, "--json")
    assert (done.code, begun) == (130, {0, 1})
    assert [record["reason"] for record in done.records if record["event"] == "end"] == ["interrupted"] * 2


@pytest.fixture
def endless(idx_folder):
    """A command line that trains three seeds without end, two at a time, as JSON Lines; killed if a test leaves it."""
    arguments = ["--data-dir", idx_folder, "--hidden", "8", "--epochs", "1000000", "--output", "all"]
    program = (
        "from mnist_bp.training import threads; threads.usable_cores = lambda: 2; "
        "from mnist_bp.cli.main import main; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, "train", "--seeds", "3", "--json", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        yield process
        process.kill()


def read_an_epoch_of_each(process):
    """Read records until both of the seeds that train have finished an epoch."""
    waiting_for = {0, 1}
    while waiting_for:
        record = json.loads(process.stdout.readline())
        waiting_for -= {record["seed"]} if record["event"] == "epoch" else set()


def states_of_children(process):
    """States of a process's children, as Linux names them: T is stopped."""
    states = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            state, parent, *_ = path.read_text(encoding="utf-8").rpartition(")")[2].split()
            states += [state] if int(parent) == process.pid else []
    return states


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes as Linux shows them")
def test_ctrl_z_stops_the_trainings_and_ctrl_c_lets_each_save_what_it_finished(endless):
    """They stop before the command does; continued and interrupted, each saves, and none is left."""
    read_an_epoch_of_each(endless)
    endless.send_signal(signal.SIGTSTP)
    _, status = os.waitpid(endless.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    deadline = time.monotonic() + 60
    while states_of_children(endless) != ["T", "T"]:  # a signal takes its time to arrive
        assert time.monotonic() < deadline
    endless.send_signal(signal.SIGCONT)
    endless.send_signal(signal.SIGINT)
    out, err = endless.communicate(timeout=60)
    assert endless.returncode == 130
    *records, summary = map(json.loads, out.splitlines())
    ends = {record["seed"]: record for record in records if record["event"] == "end"}
    assert {seed: end["reason"] for seed, end in ends.items()} == {0: "interrupted", 1: "interrupted"}
    assert (summary["seeds"], summary["unfinished"]) == ([], [0, 1, 2])
    for seed, end in ends.items():
        _, meta = load_network(f"all/seed-{seed}/model.npz")
        assert meta.epochs == end["epochs"] >= 1
        run = RunFolder.reopen(Path(f"all/seed-{seed}"))
        run.claim()
        run.close()
    assert err.splitlines()[-2:] == ["next: mnist-bp train --resume all", "mnist-bp: interrupted"]
    assert not Path("all/seed-2").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Ctrl-Z")
def test_ctrl_z_waits_for_a_training_that_is_being_started(monkeypatch):
    """Until then, nothing could stop it."""
    signals = []
    start, send_signal = subprocess.Popen, subprocess.Popen.send_signal

    def interrupted(*args, **kwargs):
        process = start(*args, **kwargs)
        signal.raise_signal(signal.SIGTSTP)
        assert signals == []
        return process

    def send(process, number):
        signals.append(number)
        send_signal(process, number)

    monkeypatch.setattr(subprocess.Popen, "send_signal", send)
    monkeypatch.setattr(subprocess, "Popen", interrupted)
    pool = WorkerPool({0: python("")}, 1, on_suspend=lambda: signals.append("stopped"))
    with pool as trainings, on_suspend(trainings.suspend):
        assert [news.what.code for news in trainings.news() if news is not None] == [0]
    assert signals == [signal.SIGSTOP, "stopped", signal.SIGCONT]


def test_all_resume_as_if_they_had_never_stopped(train, cli, few, whole):
    """With one that has an epoch to go, and one that never began.

    The latest run is that of the first seed, whichever finishes last: it is the run that the next commands name.
    """
    shutil.rmtree("all/seed-4")
    shutil.rmtree("all/seed-5")
    train("--data-dir", few, "--seed", 4, *ALONE, "--epochs", 1, output="all/seed-4")

    done = cli("train", "--resume", "all", "--json")

    *records, summary = done.records
    assert done.code == 0
    assert summary["fingerprints"] == whole["fingerprints"]
    assert summary["test_accuracy"] == whole["test_accuracy"]
    assert len(Path("all/history.jsonl").read_text(encoding="utf-8").splitlines()) == 3
    assert sorted(record["event"] for record in records) == ["end"] * 2 + ["epoch"] * 3 + ["start"] * 2
    assert done.err.splitlines()[-2:] == ["next: mnist-bp page all/seed-4", "or:   mnist-bp evaluate all"]
    assert Path("runs/latest").read_text(encoding="utf-8") == str(Path("all/seed-4").resolve())


def test_all_that_resume_may_have_more_epochs_and_other_threads(cli, whole):
    """Each gets the number, its config records it, and the warning that bits may differ comes once.

    What was typed too high once is not for ever: epochs that none has had yet may become fewer, and where all are
    finished, nothing is left to do.
    """
    done = cli("train", "--resume", "all", "--epochs", 3, "--threads", 2, "--json")
    assert done.code == 0
    assert done.err.count("--threads 2: the run was trained with 1") == 1
    assert [record["threads"] for record in done.records if record["event"] == "start"] == [2, 2]
    for folder in ("all", "all/seed-4", "all/seed-5"):
        config = tomllib.loads(Path(folder, "config.toml").read_text(encoding="utf-8"))
        assert (config["epochs"], config["threads"]) == (3, 2)

    _replace("all/config.toml", "epochs = 3\n", "epochs = 100000\n")
    again = cli("train", "--resume", "all", "--epochs", 3)
    assert again.code == 0
    assert again.out.count("(finished after 3 epochs") == 2
    assert len(Path("all/history.jsonl").read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.parametrize(
    ("schedule", "epochs", "said"),
    [
        ("constant", 1, "all/seed-4 has already had 2 epochs, more than --epochs 1"),
        ("cosine", 3, "cannot change --epochs of all: that requires --schedule constant from the start"),
        ("cosine", 1, "cannot change --epochs of all: that requires --schedule constant from the start"),
    ],
)
def test_epochs_with_which_one_could_not_resume_are_refused_before_anything_changes(cli, whole, schedule, epochs, said):
    """The folder is unchanged and resumes without them."""
    for folder in ("all", "all/seed-4", "all/seed-5"):
        _replace(f"{folder}/config.toml", 'schedule = "constant"\n', f'schedule = "{schedule}"\n')
    config, history = (Path(f"all/{name}").read_bytes() for name in ("config.toml", "history.jsonl"))
    done = cli("train", "--resume", "all", "--epochs", epochs)
    assert (done.code, done.out, done.err) == (2, "", f"mnist-bp: {said}\n")
    assert Path("all/config.toml").read_bytes() == config
    assert Path("all/history.jsonl").read_bytes() == history


def test_a_single_run_does_not_become_several(train, cli):
    """Whatever its config says: its history stays its own."""
    train()
    with Path("all/config.toml").open("a", encoding="utf-8") as file:
        file.write("seeds = 2\n")
    history = Path("all/history.jsonl").read_bytes()
    done = cli("train", "--resume", "all")
    assert (done.code, done.err) == (
        2,
        "mnist-bp: all is the folder of a single run, but its config has several seeds\n",
    )
    assert Path("all/history.jsonl").read_bytes() == history


@pytest.mark.parametrize("seeds", ["0", "1", "-3", "x"])
def test_fewer_than_two_seeds_are_bad_usage(train, seeds):
    """One network has no standard deviation; ``--seed`` trains it."""
    done = train("--seeds", seeds)
    assert (done.code, done.out) == (2, "")
    assert "--seeds" in done.err
    assert not Path("all").exists()


def test_seeds_do_not_go_with_resume(train, cli):
    """A run resumes with its seed."""
    train()
    done = cli("train", "--resume", "all", "--seeds", "2")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("mnist-bp: --seeds cannot be combined with --resume")


def test_a_folder_that_holds_runs_is_not_overwritten(train):
    """Neither one run's nor that of several."""
    Path("all").mkdir()
    Path("all/config.toml").touch()
    done = train("--seeds", "2")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("mnist-bp: all already contains a run")


def _told(report, runs, capsys):
    """All the lines that a report says on these runs."""
    report.start(2)
    with report:
        report.refresh()
        for run in runs:
            report.ended(run)
    report.end(summarize(runs), 9.0)
    return capsys.readouterr().out.splitlines()


def _terminal(monkeypatch, *, columns, stream="stdout"):
    """Make a stream of this process a terminal."""
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys, stream, screen)
    return screen


def _arrays(run):
    """The parameters that a run has saved, as bytes."""
    with np.load(Path(run) / "model.npz") as file:
        return {name: file[name].tobytes() for name in file.files if name != "meta"}


def _replace(path, old, new):
    """Replace what stands once in a text file."""
    text = Path(path).read_text(encoding="utf-8")
    assert text.count(old) == 1
    Path(path).write_text(text.replace(old, new), encoding="utf-8")
